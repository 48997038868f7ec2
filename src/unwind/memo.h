/* The verified memo: a thread's previous call stack, kept with every word of the stack that unwinding it read.
 *
 * A step is a function of {ip, sp, fp} and of the words it reads. So once a walk is in a state that a remembered frame
 * was in, the older frames need not be unwound: if all the words that their steps read still have their values, the
 * result is the remembered one. If one has not, the frames up to the step that read it are proven, and unwinding goes
 * on from there. Words are compared from the newest frame to the oldest, so that an address is read only once the words
 * that lead to it are proven: exactly the addresses that unwinding would read.
 *
 * fp is part of the state only where it is *live*: where the step of this frame or of an older one uses it before it is
 * restored. A word that restores a dead fp is not compared. Compilers use the register as any other, so most are dead
 * in optimised code; what a memo says of a dead fp may be out of date.
 *
 * What else a capture depends on, and drops all memos: rules (generation), readable ranges (bounds).
 *
 * A thread that runs on several stacks has several memos: memos.h. */
#ifndef LT_UNWIND_MEMO_H
#define LT_UNWIND_MEMO_H

#include "base/attrs.h"
#include "unwind/arch_native.h"
#include "unwind/unwind.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum { LT_WORDS_PER_FRAME = 3 };

/* What a frame's step depends on, and what it says of the whole stack. Those up to LT_FRAME_INHERITED hold of a frame
 * where they do of an older one. */
enum lt_frame_bit {
    LT_FRAME_FLAGS = 7,   /* enum lt_stack_flag */
    LT_FRAME_FP = 1 << 3, /* the step depends on fp */
    LT_FRAME_INHERITED = LT_FRAME_FLAGS | LT_FRAME_FP,
    LT_FRAME_CFA_SLOT = 1 << 4, /* a word gave the CFA */
    LT_FRAME_UNSURE = 1 << 5,   /* where a word was read, another time might not be readable: never in a memo */
};

/* A frame: its state, and what its step to the caller's frame depended on. A cache line each. */
struct lt_memo_frame {
    _Alignas(64) uintptr_t ip;
    uintptr_t sp, fp;
    uintptr_t fp_slot;  /* where the step read the caller's fp, 0: unchanged */
    uintptr_t cfa_slot; /* the word that gave the CFA; meaningful with LT_FRAME_CFA_SLOT */
    uint32_t own;       /* enum lt_frame_bit, of this frame */
    /* Known in a memo only: */
    uint16_t all;   /* LT_FRAME_INHERITED bits of this frame and all older ones; FP: of those before it is restored */
    uint16_t words; /* words[0 .. words) were read by the steps of this frame and all older ones */
};

struct lt_word {
    uintptr_t address, value;
};

/* Frames outermost first. frames[-1] lies further out than any stack pointer: a search from newer to older frames ends
 * there. */
struct lt_memo {
    uintptr_t top;   /* sp of frame 0; 0: the memo is empty */
    uintptr_t floor; /* the next lower top of the thread's memos: stack pointers in (floor, top] belong here */
    uint32_t count;
    uint32_t noted; /* notes[0 .. noted) are known, where that is not more than count */
    bool whole;     /* frame 0 is the outermost one; else the depth limit cut the stack there */
    struct lt_memo_frame *frames;
    uintptr_t *ips;  /* of all frames once more: the result of a capture */
    uint64_t *notes; /* the caller's, of each frame: struct lt_stack */
    struct lt_word *words;
};

/* What lies beyond frame 0 of a new memo. */
struct lt_beyond {
    bool whole;   /* nothing */
    bool read;    /* frame 0's step did read a return address (0, if it is whole), */
    uintptr_t sp; /* below this stack pointer: */
    uintptr_t ip;
};

/* Makes an empty memo for stacks of `depth` frames in the arena. NULL where that is full. */
struct lt_memo *lt_memo_new(uint32_t depth);

void lt_memo_clear(struct lt_memo *);

/* Empties the memo, then adds its outermost frame. */
void lt_memo_begin(struct lt_memo *, const struct lt_memo_frame *, const struct lt_beyond *);

/* Adds a frame behind its caller's, and the words that its step read, in an order in which the last is proven first:
 * the address of the return address comes from the CFA. Field by field: the frame was just written so, and a processor
 * is slow to read a pair of words that two stores have made. */
static LT_ALWAYS_INLINE void lt_memo_add(struct lt_word *words, struct lt_memo_frame *to,
                                         const struct lt_memo_frame *from) {
    const struct lt_memo_frame *caller = to - 1;
    struct lt_word *word = &words[caller->words];
    uint32_t inherited = caller->all;
    to->ip = from->ip;
    to->sp = from->sp;
    to->fp = from->fp;
    to->fp_slot = from->fp_slot;
    to->own = from->own;
    word->address = caller->sp - sizeof caller->sp;
    word++->value = caller->ip;
    if (from->fp_slot) {
        if (inherited & LT_FRAME_FP)
            *word++ = (struct lt_word){from->fp_slot, caller->fp};
        inherited &= ~(uint32_t)LT_FRAME_FP;
    }
    if (lt_unlikely(from->own & LT_FRAME_CFA_SLOT)) {
        to->cfa_slot = from->cfa_slot;
        *word++ = (struct lt_word){from->cfa_slot, lt_load_word(from->cfa_slot)};
    }
    to->all = (uint16_t)((from->own & LT_FRAME_INHERITED) | inherited);
    to->words = (uint16_t)(word - words);
}

/* Replaces the frames from `kept` on, of which there is at least one, by those from `from` to `end`, outermost first.
 * Leaves a valid memo at every instant, for a signal handler may jump out of it. */
static LT_ALWAYS_INLINE void lt_memo_replace(struct lt_memo *memo, uint32_t kept, const struct lt_memo_frame *from,
                                             const struct lt_memo_frame *end) {
    struct lt_memo_frame *frame = &memo->frames[kept];
    uintptr_t *const ips = memo->ips, *ip = ips + kept;
    struct lt_word *const words = memo->words;
    memo->count = kept;
    if (memo->noted > kept)
        memo->noted = kept;
    atomic_signal_fence(memory_order_seq_cst);
    for (; from != end; from++) {
        *ip++ = from->ip;
        lt_memo_add(words, frame++, from);
    }
    atomic_signal_fence(memory_order_seq_cst);
    memo->count = (uint32_t)(ip - ips);
}

static LT_ALWAYS_INLINE bool lt_word_differs(const struct lt_word *word) {
    return lt_unlikely(lt_load_word(word->address) != word->value);
}

/* Compares words[0 .. count) with the stack, newest first: how many are left when one differs, that one included; 0
 * when all are equal. Four at a time by hand: gcc forgets `#pragma GCC unroll` where it optimises at link time. */
static LT_ALWAYS_INLINE uint32_t lt_memo_compare(const struct lt_word *words, uint32_t count) {
    const struct lt_word *word = words + count;
    for (; word >= words + 4; word -= 4) {
        if (lt_word_differs(word - 1))
            return (uint32_t)(word - words);
        if (lt_word_differs(word - 2))
            return (uint32_t)(word - words) - 1;
        if (lt_word_differs(word - 3))
            return (uint32_t)(word - words) - 2;
        if (lt_word_differs(word - 4))
            return (uint32_t)(word - words) - 3;
    }
    while (word > words && !lt_word_differs(word - 1))
        word--;
    return (uint32_t)(word - words);
}

#endif
