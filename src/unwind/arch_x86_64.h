/* What unwinding must know of x86-64. Another architecture brings a file of the same shape: the numbers of its
 * registers in unwind information, its signal frame, and how to read the thread pointer.
 *
 * Sources: System V psABI for AMD64 §3.6.2 (DWARF register numbers, "a zero rbp marks the outermost frame"); Linux
 * arch/x86/include/uapi/asm/sigcontext.h (the signal frame: a ucontext lies at rsp when the handler returns). */
#ifndef LT_UNWIND_ARCH_X86_64_H
#define LT_UNWIND_ARCH_X86_64_H

#include "base/attrs.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum {
    LT_DWARF_RDI = 5,
    LT_DWARF_FP = 6,  /* rbp */
    LT_DWARF_SP = 7,  /* rsp */
    LT_DWARF_RA = 16, /* the return address column */
};

enum {
    LT_ADDRESS_BITS = 47, /* of user space, unless a program asks mmap for more */
    LT_CODE_LOWEST = 0x1000,
    LT_RED_ZONE = 128,
};

/* Offsets from the stack pointer that a signal handler returns with, i.e. from the ucontext. */
enum {
    LT_UCONTEXT_RDI = 104,
    LT_UCONTEXT_FP = 120,
    LT_UCONTEXT_SP = 160,
    LT_UCONTEXT_IP = 168,
};

/* mov $__NR_rt_sigreturn, %rax; syscall: the trampoline of C libraries and run times that gave it no unwind
 * information. */
#define LT_SIGNAL_TRAMPOLINE "\x48\xc7\xc0\x0f\x00\x00\x00\x0f\x05"
enum { LT_SIGNAL_TRAMPOLINE_SIZE = 9 };

/* What follows the call in Go's runtime.asmcgocall, where it fetches g and the depth from its stack:
 *
 *     [mov tls@gottpoff(%rip), %rcx  or  mov $tls, %rcx]      position-independent programs
 *     mov G(%rsp), %rdi; mov 8(%rdi), %rsi; sub DEPTH(%rsp), %rsi
 *
 * The two offsets; false for other code. `code` is readable for LT_GO_SWITCH_CODE_MAX bytes. */
enum { LT_GO_SWITCH_CODE_MAX = 24 };

static inline bool lt_arch_go_switch(const uint8_t *code, int16_t *g, int16_t *depth) {
    if (memcmp(code, "\x48\x8b\x0d", 3) == 0 || memcmp(code, "\x48\xc7\xc1", 3) == 0)
        code += 7;
    if (memcmp(code, "\x48\x8b\x7c\x24", 4) != 0 || memcmp(code + 5, "\x48\x8b\x77\x08\x48\x2b", 6) != 0)
        return false;
    *g = (int8_t)code[4];
    *depth = code[11] == 0x74 ? (int8_t)code[13] : 0;
    return *g >= 0 && *depth >= 0 && code[12] == 0x24 && (code[11] == 0x74 || code[11] == 0x34);
}

/* What follows the other call there, taken where Go runs on the thread's stack already: mov SAVED(%rsp), %rsi;
 * mov %rsi, %rsp. */
static inline bool lt_arch_go_stay(const uint8_t *code) {
    return memcmp(code, "\x48\x8b\x34\x24\x48\x89\xf4", 7) == 0 ||
           (memcmp(code, "\x48\x8b\x74\x24", 4) == 0 && memcmp(code + 5, "\x48\x89\xf4", 3) == 0);
}

/* How far the frame pointer of a function of Go lies above its stack pointer, by the first epilogue in `size` bytes of
 * its code: mov AT(%rsp), %rbp; add $AT+8, %rsp; ret. 0 where there is none. */
static inline uint16_t lt_arch_go_frame(const uint8_t *code, uintptr_t size) {
    for (; size >= 10; code++, size--)
        if (memcmp(code, "\x48\x8b\x6c\x24", 4) == 0 && memcmp(code + 5, "\x48\x83\xc4", 3) == 0 && code[9] == 0xc3 &&
            code[8] == code[4] + 8)
            return code[4];
    return 0;
}

/* What follows the call in runtime.cgocallback: lea SIZE+8(%rsp), %rax; sub %rsp, %rax. SIZE reaches from the stack
 * pointer to the return address; the saved frame pointer is the word below that. 0 for other code. */
static inline int16_t lt_arch_go_back(const uint8_t *code) {
    const bool matches = memcmp(code, "\x48\x8d\x44\x24", 4) == 0 && memcmp(code + 5, "\x48\x29\xe0", 3) == 0;
    return matches && (int8_t)code[4] >= 24 ? (int16_t)((int8_t)code[4] - 8) : 0;
}

/* What follows the call in crosscall2, by which C enters Go: add $0x18, %rsp. */
static inline bool lt_arch_is_crosscall(const uint8_t *code) {
    return memcmp(code, "\x48\x83\xc4\x18", 4) == 0;
}

/* Between the stack pointer that runtime.asmcgocall finds in g0 and that with which it calls C: the room it makes, and
 * what aligns it. Go 1.21 and newer, and before. */
#define LT_GO_SYSTEM_GAPS                                                                                              \
    { 16, 24, 64, 72 }

/* The word at `address`, which the caller knows to be readable. Not as a C object: it belongs to some frame that the
 * compiler, or a sanitizer, has its own mind about. */
static LT_ALWAYS_INLINE uintptr_t lt_load_word(uintptr_t address) {
    uintptr_t word;
    __asm__ volatile("mov (%1), %0" : "=r"(word) : "r"(address));
    return word;
}

/* The thread pointer: glibc's struct pthread, which lies at the top of every pthread stack. */
static inline uintptr_t lt_thread_pointer(void) {
    uintptr_t pointer;
    __asm__("mov %%fs:0, %0" : "=r"(pointer));
    return pointer;
}

#endif
