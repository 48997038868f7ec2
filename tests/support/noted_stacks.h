/* What a caller of the unwinder remembers of call stacks, for tests: a trie of its own, as plain as it can be, whose
 * node numbers are the notes (unwind/unwind.h). A stack that the unwinder gives as a note only is what the trie has
 * under it; so a comparison with a judge also proves the notes. */
#ifndef LT_TESTS_NOTED_STACKS_H
#define LT_TESTS_NOTED_STACKS_H

#include "unwind/unwind.h"

#include <stdbool.h>

struct noted_stacks;

/* For the captures of one lt_unwind_state. Without malloc. */
struct noted_stacks *noted_stacks_new(void);

/* The state begins anew: what it was given before must not come back. */
void noted_stacks_forget(struct noted_stacks *);

/* Fills in the frames where there are none, and notes the stack where it is not. False where a note that the unwinder
 * gave is not that of these frames, this epoch and this truncation mark. *reused: how many frames had one. The frames
 * are valid until the next call. */
bool noted_stacks_complete(struct noted_stacks *, struct lt_stack *stack, uint32_t *reused);

#endif
