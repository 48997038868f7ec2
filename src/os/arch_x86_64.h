/* x86-64: the system call instruction, the vDSO's clock, the addition that a signal handler can't split.
 * Included by os/arch.h only. */
#ifndef LT_OS_ARCH_X86_64_H
#define LT_OS_ARCH_X86_64_H

#include "base/attrs.h"

#include <linux/audit.h>
#include <stdbool.h>
#include <stdint.h>

#define LT_ARCH_NAME "x86_64" /* as uname -m says it */

/* Kernel entry: number in rax, arguments in rdi rsi rdx r10 r8 r9, result in rax; rcx and r11 are lost (System V ABI
 * for x86-64, appendix A.2.1). */
static LT_ALWAYS_INLINE long lt_arch_syscall6(long n, long a, long b, long c, long d, long e, long f) {
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = f;
    __asm__ volatile("syscall" : "+a"(n) : "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9) : "rcx", "r11", "memory");
    return n;
}

#define LT_AUDIT_ARCH AUDIT_ARCH_X86_64 /* struct seccomp_data.arch */

#define LT_VDSO_CLOCK_GETTIME "__vdso_clock_gettime"
#define LT_VDSO_TIME          "__vdso_time"

/* Where a thread's descriptor points to itself: tcbhead_t.self (glibc, sysdeps/x86_64/nptl/tls.h). */
#define LT_ARCH_THREAD_SELF 16

/* Adds to a number that no other thread writes, in one instruction: a handler of the same thread that adds to it too
 * comes before or after. Other threads may read. */
static LT_ALWAYS_INLINE void lt_arch_add_own(uint64_t *number, uint64_t n) {
    __asm__ volatile("addq %1, %0" : "+m"(*number) : "er"(n) : "cc");
}

/* Subtracts likewise; whether the number is below zero then. */
static LT_ALWAYS_INLINE bool lt_arch_take_own(int64_t *number, uint64_t n) {
    bool below;
    __asm__ volatile("subq %2, %0" : "+m"(*number), "=@ccl"(below) : "er"(n));
    return below;
}

#endif
