/* x86-64: the system call instruction, the vDSO's clock, the atomic 16-byte load, the addition that a signal handler
 * can't split. Included by os/arch.h only. */
#ifndef LT_OS_ARCH_X86_64_H
#define LT_OS_ARCH_X86_64_H

#include "base/attrs.h"

#include <cpuid.h>
#include <emmintrin.h>
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

/* "Processors that enumerate support for Intel AVX guarantee that the 16-byte memory operations performed by [aligned
 * MOVAPD, MOVAPS, MOVDQA] will always be carried out atomically" (Intel SDM vol. 3A, 9.1.1; AMD APM vol. 2, 7.3.2). */
static inline bool lt_arch_load16_is_atomic(void) {
    unsigned eax, ebx, ecx = 0, edx;
    return __get_cpuid(1, &eax, &ebx, &ecx, &edx) && (ecx & bit_AVX);
}

/* The aligned load; single-copy atomic where lt_arch_load16_is_atomic says so. */
static LT_ALWAYS_INLINE void lt_arch_load16(const void *address, uint64_t out[2]) {
    __m128i value;
    __asm__ volatile("movdqa %1, %0" : "=x"(value) : "m"(*(const __m128i *)address) : "memory");
    _mm_storeu_si128((__m128i *)(void *)out, value);
}

/* The same on any x86-64 CPU, about ten times slower: cmpxchg16b of 0 with 0 writes back what it found, so the memory
 * must be writable. */
static LT_ALWAYS_INLINE void lt_arch_load16_locked(const void *address, uint64_t out[2]) {
    uint64_t low = 0, high = 0;
    __asm__ volatile("lock cmpxchg16b %2"
                     : "+a"(low), "+d"(high), "+m"(*(__m128i *)(uintptr_t)address)
                     : "b"(0ull), "c"(0ull)
                     : "cc", "memory");
    out[0] = low;
    out[1] = high;
}

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
