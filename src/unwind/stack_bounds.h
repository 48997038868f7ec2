/* Where a stack may be read: inside the mapping that holds its stack pointer. One mechanism for every stack: main,
 * threads, coroutines, alternate signal stacks.
 *
 * A thread keeps the last few ranges it was in. They are found in /proc, or, where that is not mounted, by asking the
 * kernel page by page whether it can read there; either is done once per stack, and again when the stack has grown. A
 * range ends early at the thread pointer (glibc puts struct pthread at the top of every pthread stack) or at
 * __libc_stack_end. */
#ifndef LT_UNWIND_STACK_BOUNDS_H
#define LT_UNWIND_STACK_BOUNDS_H

#include <stdbool.h>
#include <stdint.h>

enum { LT_STACK_RANGES = 4 };

/* Room to read /proc through: not on the stack, which may be small. */
struct lt_scratch {
    char bytes[1024];
};

struct lt_stack_range {
    uintptr_t low, high; /* half-open, readable */
};

/* One per lt_unwind_state. All zero is "nothing known". */
struct lt_stack_bounds {
    struct lt_stack_range ranges[LT_STACK_RANGES];
    uint32_t next;      /* the range to be replaced next */
    uint32_t gone_seen; /* how many of the ranges that went away it has taken note of */
};

/* The readable range around `sp`, at most to the top of that stack. False where the kernel has nothing readable there.
 */
bool lt_stack_bounds_at(struct lt_stack_bounds *, uintptr_t sp, struct lt_scratch *, struct lt_stack_range *range);

void lt_stack_bounds_forget(struct lt_stack_bounds *);

/* Tells all threads that [start, end) is about to go; lt_stack_bounds_at of any thread forgets what overlaps. */
void lt_stack_bounds_gone(uintptr_t start, uintptr_t end);

/* Times that the kernel was asked. */
uint64_t lt_stack_bounds_lookups(void);

#endif
