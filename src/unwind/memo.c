#include "unwind/memo.h"

#include "os/arena.h"
#include "unwind/unwind.h"

struct lt_memo *lt_memo_new(uint32_t depth) {
    struct lt_memo *memo = lt_arena_alloc(sizeof *memo, 64);
    if (!memo)
        return NULL;
    struct lt_memo_frame *frames = lt_arena_alloc((depth + 1) * sizeof *frames, 64);
    memo->ips = lt_arena_alloc(depth * sizeof *memo->ips, 64);
    memo->notes = lt_arena_alloc(depth * sizeof *memo->notes, 64);
    memo->words = lt_arena_alloc(depth * LT_WORDS_PER_FRAME * sizeof *memo->words, 64);
    if (!frames || !memo->ips || !memo->notes || !memo->words)
        return NULL;
    frames->sp = UINTPTR_MAX;
    memo->frames = frames + 1;
    return memo;
}

void lt_memo_clear(struct lt_memo *memo) {
    memo->count = 0;
    memo->top = 0;
}

void lt_memo_begin(struct lt_memo *memo, const struct lt_memo_frame *outermost, const struct lt_beyond *beyond) {
    memo->count = 0;
    memo->noted = 0;
    atomic_signal_fence(memory_order_seq_cst);
    memo->whole = beyond->whole;
    memo->ips[0] = outermost->ip;
    struct lt_memo_frame *frame = &memo->frames[0];
    struct lt_word *word = memo->words;
    *frame = *outermost;
    if (beyond->read)
        *word++ = (struct lt_word){beyond->sp - sizeof beyond->sp, beyond->ip};
    if (frame->own & LT_FRAME_CFA_SLOT)
        *word++ = (struct lt_word){frame->cfa_slot, lt_load_word(frame->cfa_slot)};
    frame->all = (uint16_t)((frame->own & LT_FRAME_INHERITED) | (beyond->whole ? 0 : LT_STACK_TRUNCATED));
    frame->words = (uint16_t)(word - memo->words);
    atomic_signal_fence(memory_order_seq_cst);
    memo->count = 1;
}
