/* Unwind rules: how to get from one frame to its caller's, compiled from unwind information once per return address.
 *
 * One step turns {ip, sp, fp} of a frame into those of its caller. `sp` is the stack pointer after the call returned,
 * and the CFA, the caller's `sp`, is what a rule computes first; everything else lies relative to it:
 *
 *   class            CFA                              return address    used by
 *   SP               sp + cfa_offset                  CFA - 8           code without a frame pointer; PLT stubs
 *   FP               fp + cfa_offset                  CFA - 8           code with one
 *   ALIGNED          *(base + word.at) + word.add     CFA - 8           realigned frames (gcc's DRAP), some assembler
 *   SIGNAL           saved in the ucontext at sp      saved there       the trampoline a handler returns to
 *   REGISTER_RA      sp + cfa_offset                  rdi               glibc's vfork, which pops it
 *   FRAME_POINTER    fp + 16, a guess, checked        fp + 8            code without unwind information: JIT, assembler
 *   GO_SWITCH        on the goroutine's stack         at that            runtime.asmcgocall: go_switch.h
 *   GO_BACK          on the thread's stack            at that            runtime.cgocallback: go_switch.h
 *   END              the outermost frame: the return address is undefined (_start, clone)
 *   NONE             code that no class above describes: the walk stops, truncated
 *   NOT_CODE         the address is not executable: not a frame at all
 *
 * The caller's fp is unchanged, or was saved in a word at CFA + fp_offset, or at fp + fp_offset. */
#ifndef LT_UNWIND_RULE_H
#define LT_UNWIND_RULE_H

#include <assert.h>
#include <stdint.h>

enum lt_rule_class {
    LT_RULE_NONE,
    LT_RULE_SP,
    LT_RULE_FP,
    LT_RULE_ALIGNED,
    LT_RULE_SIGNAL,
    LT_RULE_REGISTER_RA,
    LT_RULE_FRAME_POINTER,
    LT_RULE_END,
    LT_RULE_NOT_CODE,
    LT_RULE_GO_SWITCH,
    LT_RULE_GO_BACK,
};

enum lt_rule_flag {
    LT_RULE_FP_AT_CFA = 1 << 0, /* the caller's fp is the word at CFA + fp_offset */
    LT_RULE_FP_AT_FP = 1 << 1,  /* ... at fp + fp_offset */
    LT_RULE_BASE_SP = 1 << 2,   /* ALIGNED: the word is found from sp, else from fp */
    LT_RULE_LOADER = 1 << 3,    /* the code belongs to the dynamic loader */
    LT_RULE_ANONYMOUS = 1 << 4, /* the code belongs to no module */
    LT_RULE_GO_LINKED = 1 << 5, /* FRAME_POINTER: it may be C code that Go's linker linked: go_switch.h */
};

/* All zero is NONE. */
struct lt_rule {
    uint8_t class; /* enum lt_rule_class */
    uint8_t flags; /* enum lt_rule_flag */
    int16_t fp_offset;
    union {
        int32_t cfa_offset;
        struct {
            int16_t at, add;
        } word; /* ALIGNED; GO_SWITCH: where g and the depth are; GO_BACK: the frame's size, 0 */
    };
};
static_assert(sizeof(struct lt_rule) == sizeof(uint64_t), "rules are interned as 64-bit words");

#endif
