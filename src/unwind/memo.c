#include "unwind/memo.h"

#include "os/arena.h"
#include "unwind/unwind.h"

#include <stdatomic.h>
#include <string.h>

struct lt_memo *lt_memo_new(uint32_t depth) {
    struct lt_memo *memo = lt_arena_alloc(sizeof *memo, 64);
    if (!memo)
        return NULL;
    memo->ips = lt_arena_alloc(depth * sizeof *memo->ips, 64);
    memo->frames = lt_arena_alloc(depth * sizeof *memo->frames, 64);
    memo->words = lt_arena_alloc(depth * LT_WORDS_PER_FRAME * sizeof *memo->words, 64);
    return memo->ips && memo->frames && memo->words ? memo : NULL;
}

void lt_memo_clear(struct lt_memo *memo) {
    memo->count = 0;
    memo->top = 0;
}

/* Notes the words that frame i's step read, in an order in which the last is proven first: the address of the return
 * address comes from the CFA. The return address and fp of the caller are those of frame i - 1. */
static void note_words(struct lt_memo *memo, uint32_t i, const struct lt_beyond *beyond) {
    struct lt_memo_frame *frame = &memo->frames[i];
    const struct lt_memo_frame *caller = i ? frame - 1 : NULL;
    struct lt_word *word = &memo->words[caller ? caller->words : 0];
    if (caller || beyond->read) {
        uintptr_t sp = caller ? caller->sp : beyond->sp;
        *word++ = (struct lt_word){sp - sizeof sp, caller ? memo->ips[i - 1] : beyond->ip};
    }
    if (frame->fp_slot && caller && caller->fp_live)
        *word++ = (struct lt_word){frame->fp_slot, caller->fp};
    if (frame->cfa_slot)
        *word++ = (struct lt_word){frame->cfa_slot, lt_load_word(frame->cfa_slot)};
    frame->words = (uint16_t)(word - memo->words);
}

static void note_frame(struct lt_memo *memo, uint32_t i, const struct lt_beyond *beyond) {
    struct lt_memo_frame *frame = &memo->frames[i];
    const struct lt_memo_frame *caller = i ? frame - 1 : NULL;
    frame->fp_live = frame->uses_fp || (!frame->fp_slot && caller && caller->fp_live);
    frame->flags = frame->own_flags;
    if (caller)
        frame->flags |= caller->flags;
    else if (!beyond->whole)
        frame->flags |= LT_STACK_TRUNCATED;
    note_words(memo, i, beyond);
}

void lt_memo_replace(struct lt_memo *memo, uint32_t kept, const struct lt_memo_frame *frames, const uintptr_t *ips,
                     uint32_t fresh, const struct lt_beyond *beyond) {
    memo->count = kept;
    atomic_signal_fence(memory_order_seq_cst);
    memcpy(&memo->ips[kept], ips, fresh * sizeof *ips);
    memcpy(&memo->frames[kept], frames, fresh * sizeof *frames);
    for (uint32_t i = kept; i < kept + fresh; i++)
        note_frame(memo, i, beyond);
    if (kept == 0)
        memo->whole = beyond->whole;
    atomic_signal_fence(memory_order_seq_cst);
    memo->count = kept + fresh;
}
