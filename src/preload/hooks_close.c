/* The hooks of what ends a descriptor, or gives it another number. The library's own descriptors (the dump, the control
 * page) are kept out of the program's way: a call on one answers as for a number that is not open, ranges are closed
 * around it, and a number that the program asks for by name is given to it.
 *
 * In a vfork child the table of descriptors is the child's own, but the memory is the parent's: nothing is moved or
 * recorded there, and the child may close its copies. */
#include "os/file.h"
#include "preload/descriptor.h"
#include "preload/hooks.h"
#include "preload/output.h"
#include "preload/process.h"
#include "preload/real.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <stdarg.h>

static int not_open(void) {
    errno = EBADF;
    return -1;
}

/* EINTR or not, the number is free afterwards; EBADF says that it was before. */
static LT_NOINLINE int closed(int (*real)(int), int fd, struct lt_regs caller) {
    struct lt_descriptor held;
    if (lt_fd_is_ours(fd)) {
        lt_fd_refused(fd, &caller);
        return not_open();
    }
    const bool was_held = lt_fd_released(fd, &held);
    const int result = real(fd);
    if (result != 0 || (was_held && held.via))
        lt_fd_judge_close(fd, result ? errno : 0, was_held ? &held : NULL, &caller);
    return result;
}

/* HOT PATH: the usual close is a jump to the real one. To come back would cost more than the rest of it: a kernel that
 * guards against speculation leaves the processor without a guess of where to return to. */
int close(int fd) {
    if (lt_likely(!lt_fd_may_be_kept(fd) && lt_fd_simply_released(fd)))
        return LT_REAL(close)(fd);
    return closed(LT_REAL(close), fd, (struct lt_regs)LT_CALLER);
}

int __close(int fd) {
    return closed(LT_REAL_OR(__close, close), fd, (struct lt_regs)LT_CALLER);
}

int mq_close(int queue) {
    return closed(LT_REAL_OR(mq_close, close), queue, (struct lt_regs)LT_CALLER);
}

int dup(int fd) {
    const struct lt_regs caller = LT_CALLER;
    if (lt_fd_is_ours(fd))
        return not_open();
    const int result = LT_REAL(dup)(fd);
    lt_fd_duplicated(fd, result, LT_VIA_NOTHING, &caller);
    return result;
}

/* The number `to` is about to become another one for `from`, which closes what it was: a FILE or DIR that stands on it
 * stays there. */
struct replacement {
    int from, to;
    bool was_held;
    struct lt_descriptor held;
};

static bool begin_replacing(struct replacement *replacement, int from, int to) {
    if (lt_fd_is_ours(from))
        return false;
    if (lt_fd_is_ours(to))
        lt_output_make_way(to);
    replacement->from = from;
    replacement->to = to;
    replacement->was_held = from != to && lt_fd_released(to, &replacement->held);
    return true;
}

static int end_replacing(const struct replacement *replacement, int result, const struct lt_regs *caller) {
    if (result >= 0 && replacement->from != replacement->to)
        lt_fd_duplicated(replacement->from, result, replacement->was_held ? replacement->held.via : LT_VIA_NOTHING,
                         caller);
    else if (replacement->was_held)
        lt_fd_kept(replacement->to, &replacement->held);
    return result;
}

int dup2(int from, int to) {
    const struct lt_regs caller = LT_CALLER;
    struct replacement replacement;
    if (!begin_replacing(&replacement, from, to))
        return not_open();
    return end_replacing(&replacement, LT_REAL(dup2)(from, to), &caller);
}

int __dup2(int from, int to) {
    const struct lt_regs caller = LT_CALLER;
    struct replacement replacement;
    if (!begin_replacing(&replacement, from, to))
        return not_open();
    return end_replacing(&replacement, LT_REAL_OR(__dup2, dup2)(from, to), &caller);
}

int dup3(int from, int to, int flags) {
    const struct lt_regs caller = LT_CALLER;
    struct replacement replacement;
    if (!begin_replacing(&replacement, from, to))
        return not_open();
    return end_replacing(&replacement, LT_REAL(dup3)(from, to, flags), &caller);
}

/* libc makes `fd` the standard streams, and closes it. */
int login_tty(int fd) {
    const struct lt_regs caller = LT_CALLER;
    const int result = LT_REAL(login_tty) ? LT_REAL(login_tty)(fd) : not_open();
    if (result == 0) {
        lt_fd_standard_streams_replaced(fd, &caller);
        lt_fd_range_released((unsigned)fd, (unsigned)fd);
    }
    return result;
}

/* The third argument is a word, whatever the command takes it for. */
#define WORD_BEHIND(command, word)                                                                                     \
    va_list arguments;                                                                                                 \
    va_start(arguments, command);                                                                                      \
    const long word = va_arg(arguments, long);                                                                         \
    va_end(arguments)

static int controlled(int fd, int command, int result, const struct lt_regs *caller) {
    if (command == F_DUPFD || command == F_DUPFD_CLOEXEC)
        lt_fd_duplicated(fd, result, LT_VIA_NOTHING, caller);
    return result;
}

int fcntl(int fd, int command, ...) {
    const struct lt_regs caller = LT_CALLER;
    WORD_BEHIND(command, word);
    return lt_fd_is_ours(fd) ? not_open() : controlled(fd, command, LT_REAL(fcntl)(fd, command, word), &caller);
}

int fcntl64(int fd, int command, ...) {
    const struct lt_regs caller = LT_CALLER;
    WORD_BEHIND(command, word);
    if (!LT_REAL(fcntl64)) /* glibc before 2.28 */
        return fcntl(fd, command, word);
    return lt_fd_is_ours(fd) ? not_open() : controlled(fd, command, LT_REAL(fcntl64)(fd, command, word), &caller);
}

int __fcntl(int fd, int command, ...) {
    const struct lt_regs caller = LT_CALLER;
    WORD_BEHIND(command, word);
    int (*const real)(int, int, ...) = LT_REAL_OR(__fcntl, fcntl);
    return lt_fd_is_ours(fd) ? not_open() : controlled(fd, command, real(fd, command, word), &caller);
}

/* Closes [first, last] but the library's own in it. The first piece that is not empty unshares the table if that was
 * asked for; where all is ours nothing is left to do but that. */
static int close_around(unsigned first, unsigned last, int flags) {
    int own[2], result = 0;
    const unsigned count = lt_output_descriptors(own);
    for (unsigned i = 0; i < count && result == 0; i++) {
        const unsigned ours = (unsigned)own[i];
        if (ours < first || ours > last || !lt_fd_is_ours(own[i]))
            continue;
        if (ours > first)
            result = LT_REAL(close_range)(first, ours - 1, flags);
        first = ours + 1;
    }
    return result || first > last ? result : LT_REAL(close_range)(first, last, flags);
}

int close_range(unsigned first, unsigned last, int flags) {
    if (!LT_REAL(close_range)) {
        errno = ENOSYS;
        return -1;
    }
    const bool closes = first <= last && !(flags & ~(int)CLOSE_RANGE_UNSHARE);
    const int result = closes ? close_around(first, last, flags)
                              : LT_REAL(close_range)(first, last, flags); /* invalid, or no more than close-on-exec:
                                                                             ours is that anyway */
    if (result == 0 && flags & (int)CLOSE_RANGE_UNSHARE)
        lt_fd_table_unshared();
    if (closes)
        lt_fd_range_released(first, last);
    return result;
}

/* glibc's own falls back to /proc where the kernel has no close_range; then ours goes with the others, and is opened
 * again. */
void closefrom(int first) {
    const int saved = errno;
    const unsigned from = first < 0 ? 0 : (unsigned)first;
    if (close_around(from, ~0u, 0) != 0)
        LT_REAL(closefrom)(first);
    lt_fd_range_released(from, ~0u);
    errno = saved;
}
