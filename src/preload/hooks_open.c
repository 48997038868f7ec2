/* The hooks of what gives a number for a name. Many are cancellation points: the guard is never up over a real call.
 *
 * The kind is what the call says; what the name really leads to, a FIFO or a directory, is seen at the snapshot. Names
 * with _2 are the forms that -D_FORTIFY_SOURCE takes where no mode is given. */
#include "preload/descriptor.h"
#include "preload/hooks.h"
#include "preload/real.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>

static enum lt_kind kind_by(int flags) {
    const bool is_directory = flags & O_DIRECTORY && (flags & O_TMPFILE) != O_TMPFILE;
    return is_directory ? LT_KIND_DIRECTORY : LT_KIND_FILE;
}

static int opened(int fd, int flags, const struct lt_regs *caller) {
    return lt_fd_acquired(fd, kind_by(flags), caller);
}

static int made(int fd, const struct lt_regs *caller) {
    return lt_fd_acquired(fd, LT_KIND_FILE, caller);
}

/* The argument behind `flags` is there only where they ask for a file to be made. */
#define MODE_BEHIND(flags, mode)                                                                                       \
    mode_t mode = 0;                                                                                                   \
    if (flags & O_CREAT || (flags & O_TMPFILE) == O_TMPFILE) {                                                         \
        va_list arguments;                                                                                             \
        va_start(arguments, flags);                                                                                    \
        mode = va_arg(arguments, mode_t);                                                                              \
        va_end(arguments);                                                                                             \
    }

int open(const char *path, int flags, ...) {
    const struct lt_regs caller = LT_CALLER;
    MODE_BEHIND(flags, mode)
    return opened(LT_REAL(open)(path, flags, mode), flags, &caller);
}

int __open(const char *path, int flags, ...) {
    const struct lt_regs caller = LT_CALLER;
    MODE_BEHIND(flags, mode)
    return opened(LT_REAL_OR(__open, open)(path, flags, mode), flags, &caller);
}

int __open_2(const char *path, int flags) {
    const struct lt_regs caller = LT_CALLER;
    return opened(LT_REAL(__open_2)(path, flags), flags, &caller);
}

int open64(const char *path, int flags, ...) {
    const struct lt_regs caller = LT_CALLER;
    MODE_BEHIND(flags, mode)
    return opened(LT_REAL(open64)(path, flags, mode), flags, &caller);
}

int __open64(const char *path, int flags, ...) {
    const struct lt_regs caller = LT_CALLER;
    MODE_BEHIND(flags, mode)
    return opened(LT_REAL_OR(__open64, open64)(path, flags, mode), flags, &caller);
}

int __open64_2(const char *path, int flags) {
    const struct lt_regs caller = LT_CALLER;
    return opened(LT_REAL(__open64_2)(path, flags), flags, &caller);
}

int openat(int directory, const char *path, int flags, ...) {
    const struct lt_regs caller = LT_CALLER;
    MODE_BEHIND(flags, mode)
    return opened(LT_REAL(openat)(directory, path, flags, mode), flags, &caller);
}

int __openat_2(int directory, const char *path, int flags) {
    const struct lt_regs caller = LT_CALLER;
    return opened(LT_REAL(__openat_2)(directory, path, flags), flags, &caller);
}

int openat64(int directory, const char *path, int flags, ...) {
    const struct lt_regs caller = LT_CALLER;
    MODE_BEHIND(flags, mode)
    return opened(LT_REAL(openat64)(directory, path, flags, mode), flags, &caller);
}

int __openat64_2(int directory, const char *path, int flags) {
    const struct lt_regs caller = LT_CALLER;
    return opened(LT_REAL(__openat64_2)(directory, path, flags), flags, &caller);
}

int open_by_handle_at(int mount, struct file_handle *handle, int flags) {
    const struct lt_regs caller = LT_CALLER;
    return opened(LT_REAL(open_by_handle_at)(mount, handle, flags), flags, &caller);
}

int creat(const char *path, mode_t mode) {
    const struct lt_regs caller = LT_CALLER;
    return made(LT_REAL(creat)(path, mode), &caller);
}

int creat64(const char *path, mode_t mode) {
    const struct lt_regs caller = LT_CALLER;
    return made(LT_REAL(creat64)(path, mode), &caller);
}

int mkstemp(char *path) {
    const struct lt_regs caller = LT_CALLER;
    return made(LT_REAL(mkstemp)(path), &caller);
}

int mkstemp64(char *path) {
    const struct lt_regs caller = LT_CALLER;
    return made(LT_REAL(mkstemp64)(path), &caller);
}

int mkostemp(char *path, int flags) {
    const struct lt_regs caller = LT_CALLER;
    return made(LT_REAL(mkostemp)(path, flags), &caller);
}

int mkostemp64(char *path, int flags) {
    const struct lt_regs caller = LT_CALLER;
    return made(LT_REAL(mkostemp64)(path, flags), &caller);
}

int mkstemps(char *path, int suffix) {
    const struct lt_regs caller = LT_CALLER;
    return made(LT_REAL(mkstemps)(path, suffix), &caller);
}

int mkstemps64(char *path, int suffix) {
    const struct lt_regs caller = LT_CALLER;
    return made(LT_REAL(mkstemps64)(path, suffix), &caller);
}

int mkostemps(char *path, int suffix, int flags) {
    const struct lt_regs caller = LT_CALLER;
    return made(LT_REAL(mkostemps)(path, suffix, flags), &caller);
}

int mkostemps64(char *path, int suffix, int flags) {
    const struct lt_regs caller = LT_CALLER;
    return made(LT_REAL(mkostemps64)(path, suffix, flags), &caller);
}

/* What a C library may lack answers as a kernel that lacks it. */
static int missing(void) {
    errno = ENOSYS;
    return -1;
}

int memfd_create(const char *name, unsigned flags) {
    const struct lt_regs caller = LT_CALLER;
    return LT_REAL(memfd_create) ? made(LT_REAL(memfd_create)(name, flags), &caller) : missing();
}

int shm_open(const char *name, int flags, mode_t mode) {
    const struct lt_regs caller = LT_CALLER;
    return LT_REAL(shm_open) ? made(LT_REAL(shm_open)(name, flags, mode), &caller) : missing();
}

int mq_open(const char *name, int flags, ...) {
    const struct lt_regs caller = LT_CALLER;
    mode_t mode = 0;
    struct mq_attr *attributes = NULL;
    if (flags & O_CREAT) {
        va_list arguments;
        va_start(arguments, flags);
        mode = va_arg(arguments, mode_t);
        attributes = va_arg(arguments, struct mq_attr *);
        va_end(arguments);
    }
    return LT_REAL(mq_open) ? made(LT_REAL(mq_open)(name, flags, mode, attributes), &caller) : missing();
}

int __mq_open_2(const char *name, int flags) {
    const struct lt_regs caller = LT_CALLER;
    return LT_REAL(__mq_open_2) ? made(LT_REAL(__mq_open_2)(name, flags), &caller) : missing();
}

int posix_openpt(int flags) {
    const struct lt_regs caller = LT_CALLER;
    return made(LT_REAL(posix_openpt)(flags), &caller);
}

int getpt(void) {
    const struct lt_regs caller = LT_CALLER;
    return made(LT_REAL(getpt)(), &caller);
}

int openpty(int *terminal, int *program, char *name, const struct termios *attributes, const struct winsize *size) {
    const struct lt_regs caller = LT_CALLER;
    if (!LT_REAL(openpty))
        return missing();
    const int result = LT_REAL(openpty)(terminal, program, name, attributes, size);
    if (result == 0) {
        made(*terminal, &caller);
        made(*program, &caller);
    }
    return result;
}
