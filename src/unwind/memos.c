#include "unwind/memos.h"

#include <stddef.h>

bool lt_memos_init(struct lt_memos *memos, uint32_t depth) {
    memos->depth = depth;
    memos->current = memos->all[0] = lt_memo_new(depth);
    memos->count = 1;
    return memos->current;
}

void lt_memos_clear(struct lt_memos *memos) {
    for (uint32_t i = 0; i < memos->count; i++)
        lt_memo_clear(memos->all[i]);
}

/* The highest top below `top`. */
static uintptr_t floor_below(const struct lt_memos *memos, uintptr_t top) {
    uintptr_t floor = 0;
    for (uint32_t i = 0; i < memos->count; i++)
        if (memos->all[i]->top < top && memos->all[i]->top > floor)
            floor = memos->all[i]->top;
    return floor;
}

static void set_floors(struct lt_memos *memos) {
    for (uint32_t i = 0; i < memos->count; i++)
        memos->all[i]->floor = floor_below(memos, memos->all[i]->top);
}

struct lt_memo *lt_memos_switch(struct lt_memos *memos, uintptr_t sp) {
    struct lt_memo *best = NULL;
    for (uint32_t i = 0; i < memos->count; i++) {
        struct lt_memo *memo = memos->all[i];
        if (memo->top >= sp && (!best || memo->top < best->top))
            best = memo;
    }
    if (best)
        memos->current = best;
    return memos->current;
}

/* The memo with that top; else an empty one; else, for a stack that the depth limit cut, the one of another such stack:
 * their tops change from capture to capture. */
static struct lt_memo *find_for(const struct lt_memos *memos, uintptr_t top, bool whole) {
    struct lt_memo *best = NULL;
    for (uint32_t i = 0; i < memos->count; i++) {
        struct lt_memo *memo = memos->all[i];
        if (memo->top == top)
            return memo;
        if (memo->top == 0 || (!best && !whole && !memo->whole))
            best = memo;
    }
    return best;
}

static struct lt_memo *add(struct lt_memos *memos) {
    struct lt_memo *memo = memos->count < LT_MEMOS ? lt_memo_new(memos->depth) : NULL;
    if (memo)
        return memos->all[memos->count++] = memo;
    if (memos->next >= memos->count)
        memos->next = 0;
    return memos->all[memos->next++];
}

struct lt_memo *lt_memos_for_new(struct lt_memos *memos, uintptr_t sp, uintptr_t top, bool whole) {
    for (uint32_t i = 0; i < memos->count; i++)
        if (memos->all[i]->top > sp && memos->all[i]->top < top)
            lt_memo_clear(memos->all[i]);
    struct lt_memo *memo = find_for(memos, top, whole);
    if (!memo)
        memo = add(memos);
    memo->count = 0;
    memo->top = top;
    memos->current = memo;
    set_floors(memos);
    return memo;
}
