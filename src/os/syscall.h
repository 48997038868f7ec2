/* System calls by the raw instruction: no libc function in between that a hook (ours, or another library's) could see,
 * that writes errno, or that is a cancellation point.
 *
 * lt_syscall0(number) .. lt_syscall6(number, six arguments) return what the kernel returns: a result, or a negative
 * errno
 * (-4095 .. -1); -EPERM without a call where the program's own sandbox would kill it (sandbox.h). Arguments are long;
 * LT_ARG(pointer) makes one of a pointer. For the rest of os/ only. */
#ifndef LT_OS_SYSCALL_H
#define LT_OS_SYSCALL_H

#include "base/attrs.h"
#include "os/arch.h"
#include "os/sandbox.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>

#define LT_ARG(pointer) ((long)(uintptr_t)(pointer))

/* What mmap and mremap gave: the mapping, or NULL for any error. */
static LT_ALWAYS_INLINE void *lt_mapping(long result) {
    return result < 0 && result >= -4095 ? NULL : (void *)(uintptr_t)result;
}

long lt_sandbox_syscall(long n, long a, long b, long c, long d, long e, long f);

static LT_ALWAYS_INLINE long lt_syscall6(long n, long a, long b, long c, long d, long e, long f) {
    if (lt_unlikely(lt_sandboxed))
        return lt_sandbox_syscall(n, a, b, c, d, e, f);
    return lt_arch_syscall6(n, a, b, c, d, e, f);
}
static LT_ALWAYS_INLINE long lt_syscall0(long n) {
    return lt_syscall6(n, 0, 0, 0, 0, 0, 0);
}
static LT_ALWAYS_INLINE long lt_syscall1(long n, long a) {
    return lt_syscall6(n, a, 0, 0, 0, 0, 0);
}
static LT_ALWAYS_INLINE long lt_syscall2(long n, long a, long b) {
    return lt_syscall6(n, a, b, 0, 0, 0, 0);
}
static LT_ALWAYS_INLINE long lt_syscall3(long n, long a, long b, long c) {
    return lt_syscall6(n, a, b, c, 0, 0, 0);
}
static LT_ALWAYS_INLINE long lt_syscall4(long n, long a, long b, long c, long d) {
    return lt_syscall6(n, a, b, c, d, 0, 0);
}
static LT_ALWAYS_INLINE long lt_syscall5(long n, long a, long b, long c, long d, long e) {
    return lt_syscall6(n, a, b, c, d, e, 0);
}

#endif
