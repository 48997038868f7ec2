/* The memos of one thread: one per stack it runs on, or a program that switches between coroutines would overwrite a
 * single one each time. A stack is told by its *top*, the outermost frame's sp: a stack pointer belongs to the memo
 * with the nearest top above it. Where that is the wrong one nothing matches, and the capture tells the right top. */
#ifndef LT_UNWIND_MEMOS_H
#define LT_UNWIND_MEMOS_H

#include "unwind/memo.h"

enum { LT_MEMOS = 4 };

struct lt_memos {
    struct lt_memo *current; /* never NULL */
    struct lt_memo *all[LT_MEMOS];
    uint32_t count, next; /* how many there are; which to overwrite next */
    uint32_t depth;
};

/* False when the arena is full. */
bool lt_memos_init(struct lt_memos *, uint32_t depth);

void lt_memos_clear(struct lt_memos *);

/* Makes current, and returns, the memo for a stack that was just unwound without one: from the frame at `sp` to the
 * outermost at `top`. Memos of stacks that this one lies over are dead and cleared. */
struct lt_memo *lt_memos_for_new(struct lt_memos *, uintptr_t sp, uintptr_t top, bool whole);

/* Makes current the memo that `sp` may belong to. */
struct lt_memo *lt_memos_switch(struct lt_memos *, uintptr_t sp);

static LT_ALWAYS_INLINE struct lt_memo *lt_memos_at(struct lt_memos *memos, uintptr_t sp) {
    struct lt_memo *current = memos->current;
    if (lt_likely(sp > current->floor && sp <= current->top))
        return current;
    return lt_memos_switch(memos, sp);
}

#endif
