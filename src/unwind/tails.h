/* Tails: the frames that lately were unwound on top of the memo. A program alternates between a few ways to allocate,
 * and each time the memo, which holds one stack, loses the inner frames of the other one.
 *
 * What makes the memo exact does so here (memo.h): a walk that is in the state of a tail's innermost frame goes where
 * the tail went, if all words that its steps read are what they were, and they are read in the order of unwinding. fp
 * is compared where a step uses it, and followed where it is saved. Behind its outermost frame a tail keeps the state
 * that it led to; whether the memo still knows that state is for the walk to find out.
 *
 * Frames are unwound right into the tail that they will be found in. Not kept: tails of more frames, or with a frame
 * whose CFA is a word of the stack. */
#ifndef LT_UNWIND_TAILS_H
#define LT_UNWIND_TAILS_H

#include "unwind/memo.h"

enum { LT_TAILS_BITS = 5, LT_TAILS = 1 << LT_TAILS_BITS, LT_TAIL_FRAMES = 8 };

struct lt_tail {
    _Alignas(
        64) struct lt_memo_frame frames[1 + LT_TAIL_FRAMES]; /* the last `count`, outermost first; before them the */
    uint32_t count;                                          /* state led to. 0: none are kept */
};

static LT_ALWAYS_INLINE struct lt_memo_frame *lt_tail_end(struct lt_tail *tail) {
    return &tail->frames[1 + LT_TAIL_FRAMES];
}

/* Where the tail that begins in that state would be. */
static LT_ALWAYS_INLINE struct lt_tail *lt_tail_at(struct lt_tail *tails, uintptr_t ip, uintptr_t sp) {
    return &tails[((ip ^ sp) * 0x9e3779b97f4a7c15u) >> (64 - LT_TAILS_BITS)];
}

/* Whether a walk in the state (ip, sp, *fp) goes the tail's way; *fp is then that of the state led to. */
static LT_ALWAYS_INLINE bool lt_tail_holds(struct lt_tail *tail, uintptr_t ip, uintptr_t sp, uintptr_t *fp) {
    struct lt_memo_frame *const end = lt_tail_end(tail), *frame = end - 1;
    if (tail->count == 0 || frame->ip != ip || frame->sp != sp)
        return false;
    for (const struct lt_memo_frame *const last = end - tail->count; frame >= last; frame--) {
        const struct lt_memo_frame *const caller = frame - 1;
        if ((frame->own & LT_FRAME_FP && frame->fp != *fp) ||
            lt_load_word(caller->sp - sizeof caller->sp) != caller->ip)
            return false;
        frame->fp = *fp;
        if (frame->fp_slot)
            *fp = lt_load_word(frame->fp_slot);
    }
    return true;
}

#endif
