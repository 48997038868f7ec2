/* Tails: stacks that lately were captured, as what they add to the memo. A program alternates between a few ways to
 * allocate, and the memo holds one stack.
 *
 * What makes the memo exact does so here (memo.h): a tail is the words that the steps of its frames read, in the order
 * in which a walk reads them, down to the *joint*, a frame of the memo, whose words come next. If the walk begins in
 * the state that the tail began in, all words are what they were, and the memo's frame is in the state that the tail
 * led to, then the stack is that of the tail's note: the note of the joint says that the frames further out are the
 * same.
 *
 * A stack found so changes nothing, neither the memo nor the tail. */
#ifndef LT_UNWIND_TAILS_H
#define LT_UNWIND_TAILS_H

#include "unwind/memo.h"

enum { LT_TAIL_SETS_BITS = 5, LT_TAIL_SETS = 1 << LT_TAIL_SETS_BITS, LT_TAIL_WAYS = 4, LT_TAIL_WORDS = 12 };

struct lt_tail {
    _Alignas(64) uint64_t note; /* of the whole stack; 0: this is none */
    uintptr_t ip, sp, fp;       /* of its innermost frame */
    uint64_t joint_note;
    uintptr_t joint_sp, joint_fp;
    uint16_t joint, joint_all; /* its number in the memo; its lt_memo_frame.all */
    uint8_t frames, words;     /* how many more there are than at the joint */
    uint16_t all;              /* lt_memo_frame.all of the innermost frame */
    struct lt_word word[LT_TAIL_WORDS];
};

/* One per lt_unwind_state. All zero is "none". */
struct lt_tails {
    struct lt_tail sets[LT_TAIL_SETS][LT_TAIL_WAYS];
    uint32_t way; /* of the tail kept last */
};

/* Where tails that begin in that state would be. More than one may: a function has many callers. */
static LT_ALWAYS_INLINE struct lt_tail *lt_tails_at(struct lt_tails *tails, uintptr_t ip, uintptr_t sp) {
    return tails->sets[((ip ^ sp) * 0x9e3779b97f4a7c15u) >> (64 - LT_TAIL_SETS_BITS)];
}

/* Whether a state's fp is another one, and that matters. */
static LT_ALWAYS_INLINE bool lt_fp_differs(uintptr_t fp, uintptr_t known, uint32_t all) {
    return lt_unlikely(fp != known) && all & LT_FRAME_FP;
}

/* Whether the tail begins in that state. */
static LT_ALWAYS_INLINE bool lt_tail_begins(const struct lt_tail *tail, const struct lt_regs *from) {
    return ((tail->ip ^ from->ip) | (tail->sp ^ from->sp)) == 0 && tail->note &&
           !lt_fp_differs(from->fp, tail->fp, tail->all);
}

/* Whether the joint is still what it was. */
static LT_ALWAYS_INLINE bool lt_tail_joins(const struct lt_tail *tail, const struct lt_memo *memo) {
    const struct lt_memo_frame *joint = &memo->frames[tail->joint];
    return memo->whole && tail->joint < memo->count && tail->joint < memo->noted &&
           memo->notes[tail->joint] == tail->joint_note && joint->sp == tail->joint_sp &&
           joint->all == tail->joint_all && !lt_fp_differs(joint->fp, tail->joint_fp, tail->joint_all);
}

/* Keeps the frames of the memo behind the joint, all of which but the innermost's note is known, as a tail, if they are
 * few enough. Where to put that note: NULL where none was kept. */
static LT_ALWAYS_INLINE uint64_t *lt_tails_keep(struct lt_tails *tails, const struct lt_memo *memo, uint32_t joint) {
    const struct lt_memo_frame *last = &memo->frames[memo->count - 1], *to = &memo->frames[joint];
    const uint32_t words = (uint32_t)last->words - to->words;
    tails->way = (tails->way + 1) % LT_TAIL_WAYS;
    struct lt_tail *tail = lt_tails_at(tails, last->ip, last->sp) + tails->way;
    tail->note = 0;
    atomic_signal_fence(memory_order_seq_cst);
    if (words > LT_TAIL_WORDS || joint >= memo->noted)
        return NULL;
    tail->ip = last->ip;
    tail->sp = last->sp;
    tail->fp = last->fp;
    tail->joint_note = memo->notes[joint];
    tail->joint_sp = to->sp;
    tail->joint_fp = to->fp;
    tail->joint = (uint16_t)joint;
    tail->joint_all = to->all;
    tail->frames = (uint8_t)(last - to);
    tail->words = (uint8_t)words;
    tail->all = last->all;
    for (uint32_t i = 0; i < words; i++) {
        tail->word[i].address = memo->words[to->words + i].address;
        tail->word[i].value = memo->words[to->words + i].value;
    }
    return &tail->note;
}

#endif
