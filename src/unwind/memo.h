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

#include <stdbool.h>
#include <stdint.h>

enum { LT_WORDS_PER_FRAME = 3 };

/* A frame: its state (with its ip in a parallel array), and what its step to the caller's frame depended on. */
struct lt_memo_frame {
    uintptr_t sp, fp;
    uintptr_t fp_slot;  /* where the step read the caller's fp, 0: unchanged */
    uintptr_t cfa_slot; /* the word that gave the CFA, 0: none did */
    uint8_t own_flags;  /* enum lt_stack_flag */
    bool uses_fp;       /* the step depends on fp */
    /* Of this frame and all older ones together; known in a memo only: */
    uint8_t flags;
    bool fp_live;   /* the steps depend on fp */
    uint16_t words; /* words[0 .. words) were read by the steps */
};

struct lt_word {
    uintptr_t address, value;
};

/* Frames outermost first. */
struct lt_memo {
    uintptr_t top;   /* sp of frame 0; 0: the memo is empty */
    uintptr_t floor; /* the next lower top of the thread's memos: stack pointers in (floor, top] belong here */
    uint32_t count;
    bool whole; /* frame 0 is the outermost one; else the depth limit cut the stack there */
    uintptr_t *ips;
    struct lt_memo_frame *frames;
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

/* Replaces the frames from `kept` on by `fresh` others, given outermost first. Leaves a valid memo at every instant,
 * for a signal handler may jump out of it. `beyond` matters where kept is 0. */
void lt_memo_replace(struct lt_memo *, uint32_t kept, const struct lt_memo_frame *frames, const uintptr_t *ips,
                     uint32_t fresh, const struct lt_beyond *beyond);

/* Compares words[0 .. count) with the stack, newest first: how many are left when one differs, that one included; 0
 * when all are equal. */
static LT_ALWAYS_INLINE uint32_t lt_memo_compare(const struct lt_memo *memo, uint32_t count) {
    const struct lt_word *word = memo->words + count;
#pragma GCC unroll 4
    for (; word != memo->words; word--)
        if (lt_unlikely(lt_load_word(word[-1].address) != word[-1].value))
            break;
    return (uint32_t)(word - memo->words);
}

#endif
