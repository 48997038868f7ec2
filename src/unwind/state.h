/* What a thread's captures remember; see lt_unwind_state in unwind.h. Private to this room. */
#ifndef LT_UNWIND_STATE_H
#define LT_UNWIND_STATE_H

#include "base/attrs.h"
#include "unwind/memos.h"
#include "unwind/rule.h"
#include "unwind/stack_bounds.h"
#include "unwind/tails.h"
#include "unwind/unwind.h"

struct lt_unwind_state {
    struct lt_memos memos;
    uint32_t generation; /* of the rules that the memos were made with */
    uint32_t epoch;      /* that their notes belong to */
    uint32_t depth;      /* frames kept: the length of the arrays */
    uint64_t note_kept;  /* what a caller notes where nothing is remembered */
    uintptr_t *ips;      /* room for frames that no memo holds, */
    uint64_t *notes;     /* for notes of them, */
    uint32_t noted;      /* of the first so many, */
    uint32_t noted_as;   /* and LT_STACK_TRUNCATED, where they are of a stack that was */
    struct lt_tails *tails;
    struct lt_memo_frame *fresh; /* room for frames found by unwinding, */
    struct lt_memo_frame *end;   /* filled from its end, so that the outermost frame comes first */
    void **foreign;              /* libunwind only: its result, LT_FOREIGN_FRAMES more than depth */
    struct lt_stack_bounds bounds;
    struct lt_scratch scratch;
    struct { /* what the walk's last GO_SWITCH came from: sp 0 = there was none */
        uintptr_t sp;
        struct lt_stack_range range;
    } go_system;
};

/* Empties the memos and the tails. */
void lt_unwind_state_forget_stacks(struct lt_unwind_state *);

enum { LT_FOREIGN_FRAMES = 16 }; /* at most so many frames of our own lie below the hook's caller */

extern const struct lt_unwinder lt_unwinder_native, lt_unwinder_fp, lt_unwinder_libunwind;
extern struct lt_unwind_options lt_unwind_options;

/* A capture under construction: frames are pushed innermost first. */
struct lt_frames {
    struct lt_unwind_state *state;
    uint32_t count;
    uint32_t flags; /* enum lt_stack_flag */
};

/* False when the stack is as deep as it may be; it is truncated then. */
static inline bool lt_frames_push(struct lt_frames *frames, uintptr_t ip) {
    if (frames->count == frames->state->depth) {
        frames->flags |= LT_STACK_TRUNCATED;
        return false;
    }
    frames->state->ips[frames->state->depth - ++frames->count] = ip;
    return true;
}

/* What a frame's rule says of the whole stack. */
static inline void lt_frames_note(struct lt_frames *frames, struct lt_rule rule) {
    if (lt_unlikely(rule.class == LT_RULE_SIGNAL))
        frames->flags |= LT_STACK_SIGNAL;
    if (lt_unlikely(rule.flags & LT_RULE_LOADER))
        frames->flags |= LT_STACK_LOADER;
}

/* A stack that no memo holds. Of its frames the first `noted` have their notes. */
static inline void lt_stack_give(struct lt_unwind_state *state, const uintptr_t *frames, uint32_t depth, uint32_t flags,
                                 uint32_t noted, struct lt_stack *stack) {
    state->noted = noted;
    *stack = (struct lt_stack){.frames = frames,
                               .notes = state->notes,
                               .note_kept = &state->note_kept,
                               .noted = &state->noted,
                               .depth = depth,
                               .flags = flags,
                               .epoch = lt_unwind_epoch()};
}

static inline void lt_frames_finish(const struct lt_frames *frames, struct lt_stack *stack) {
    struct lt_unwind_state *state = frames->state;
    lt_stack_give(state, &state->ips[state->depth - frames->count], frames->count, frames->flags, 0, stack);
}

#endif
