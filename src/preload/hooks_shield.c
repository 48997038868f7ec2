/* The hooks that keep the library's own descriptors (the dump, the control page) out of the program's way, as far as
 * that does not need to know the program's own: close answers as for a number that is not open, ranges are closed
 * around it, and a number that the program asks for by name is given to it.
 *
 * In a vfork child the table of descriptors is the child's own, but the memory is the parent's: nothing is moved there,
 * and the child may close its copies. */
#include "os/file.h"
#include "preload/hooks.h"
#include "preload/output.h"
#include "preload/process.h"
#include "preload/real.h"

#include <errno.h>
#include <linux/close_range.h>

static int not_open(void) {
    errno = EBADF;
    return -1;
}

static bool is_shielded(int fd) {
    return lt_unlikely(lt_output_owns(fd)) && lt_process_whose() == LT_OWN_MEMORY;
}

LT_EXPORT int close(int fd) {
    return is_shielded(fd) ? not_open() : LT_REAL(close)(fd);
}

LT_EXPORT int dup2(int from, int to) {
    if (is_shielded(from))
        return not_open();
    if (is_shielded(to))
        lt_output_make_way(to);
    return LT_REAL(dup2)(from, to);
}

LT_EXPORT int dup3(int from, int to, int flags) {
    if (is_shielded(from))
        return not_open();
    if (is_shielded(to))
        lt_output_make_way(to);
    return LT_REAL(dup3)(from, to, flags);
}

/* Closes [first, last] but the library's own in it. The first piece that is not empty unshares the table if that was
 * asked for; where all is ours nothing is left to do but that. */
static int close_around(unsigned first, unsigned last, int flags) {
    int own[2], result = 0;
    const unsigned count = lt_output_descriptors(own);
    for (unsigned i = 0; i < count && result == 0; i++) {
        const unsigned ours = (unsigned)own[i];
        if (ours < first || ours > last || !is_shielded(own[i]))
            continue;
        if (ours > first)
            result = LT_REAL(close_range)(first, ours - 1, flags);
        first = ours + 1;
    }
    return result || first > last ? result : LT_REAL(close_range)(first, last, flags);
}

LT_EXPORT int close_range(unsigned first, unsigned last, int flags) {
    if (!LT_REAL(close_range)) {
        errno = ENOSYS;
        return -1;
    }
    if (first > last || flags & ~(int)CLOSE_RANGE_UNSHARE)
        return LT_REAL(close_range)(first, last,
                                    flags); /* invalid, or no more than close-on-exec: ours is that anyway */
    return close_around(first, last, flags);
}

/* glibc's own falls back to /proc where the kernel has no close_range; then ours goes with the others, and is opened
 * again. */
LT_EXPORT void closefrom(int first) {
    const int saved = errno;
    if (close_around(first < 0 ? 0 : (unsigned)first, ~0u, 0) != 0)
        LT_REAL(closefrom)(first);
    errno = saved;
}
