/* Where a stack may be read: from its stack pointer up, as far as the memory is one readable piece, at most to the top.
 * One mechanism for every stack: main, threads, coroutines, alternate signal stacks.
 *
 * The top is the thread pointer (glibc puts struct pthread at the top of every pthread stack) or __libc_stack_end.
 * Where it is near, the kernel is asked page by page whether it can read there; else, or where something unreadable
 * lies between (the stack pointer is on a coroutine's stack then), the range is the mapping that /proc names. A thread
 * keeps the last few ranges it was in; when a stack grows below the known low end it is looked up again. */
#ifndef LT_UNWIND_STACK_BOUNDS_H
#define LT_UNWIND_STACK_BOUNDS_H

#include "base/attrs.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum { LT_STACK_RANGES = 4 };

/* Room to read /proc through: not on the stack, which may be small. */
struct lt_scratch {
    char bytes[1024];
};

/* [low, low + size): readable. Written size last, and made empty by one store: a handler may jump out in between. */
struct lt_stack_range {
    uintptr_t low, size;
    bool own; /* up to the top of the thread's own stack, which cannot go while the thread is on it */
};

/* One per lt_unwind_state. All zero is "nothing known". */
struct lt_stack_bounds {
    struct lt_stack_range ranges[LT_STACK_RANGES];
    uint32_t last;      /* the range used last */
    uint32_t next;      /* the range to be replaced next */
    uint32_t gone_seen; /* how many of the ranges that went away it has taken note of */
};

extern _Atomic uint32_t lt_stack_ranges_gone; /* published so far */
bool lt_stack_bounds_catch_up(struct lt_stack_bounds *, uint32_t now);

/* The readable range around `sp`, at most to the top of that stack. NULL where the kernel has nothing readable there.
 */
const struct lt_stack_range *lt_stack_bounds_find(struct lt_stack_bounds *, uintptr_t sp, struct lt_scratch *);
static LT_ALWAYS_INLINE const struct lt_stack_range *lt_stack_bounds_at(struct lt_stack_bounds *bounds, uintptr_t sp,
                                                                        struct lt_scratch *scratch) {
    const struct lt_stack_range *last = &bounds->ranges[bounds->last];
    return lt_likely(sp - last->low < last->size) ? last : lt_stack_bounds_find(bounds, sp, scratch);
}

/* The range around `low`, looked up anew because the known one ends before `high`: memory that was mapped since then
 * joins it. Where the kernel keeps the two apart for other reasons they are read page by page. May still be too short.
 */
const struct lt_stack_range *lt_stack_bounds_to(struct lt_stack_bounds *, uintptr_t low, uintptr_t high,
                                                struct lt_scratch *);

/* Whether the word at `address` may be read, for a caller that has it from nowhere safe and last read below `sp`. What
 * libc unmaps for itself (a large block, the end of its heap) nobody tells us of: of a stack that is not the thread's
 * own the kernel is asked, unless it is the page where the walk is anyway. */
bool lt_stack_range_has(const struct lt_stack_range *, uintptr_t sp, uintptr_t address);

/* Takes note of ranges that went away. Returns whether a known one was among them: what was read there before may not
 * be readable any more. To be called before lt_stack_bounds_at. */
static LT_ALWAYS_INLINE bool lt_stack_bounds_refresh(struct lt_stack_bounds *bounds) {
    uint32_t now = atomic_load_explicit(&lt_stack_ranges_gone, memory_order_acquire);
    return lt_unlikely(now != bounds->gone_seen) && lt_stack_bounds_catch_up(bounds, now);
}

void lt_stack_bounds_forget(struct lt_stack_bounds *);

/* Tells all threads that [start, end) is about to go; lt_stack_bounds_at of any thread forgets what overlaps. */
void lt_stack_bounds_gone(uintptr_t start, uintptr_t end);

/* Tells the main thread's thread pointer, which is at the top of no stack. Called by that thread. */
void lt_stack_bounds_init(void);

/* Times that the kernel was asked. */
uint64_t lt_stack_bounds_lookups(void);

#endif
