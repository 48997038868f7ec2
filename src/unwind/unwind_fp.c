/* The chain of frame pointers, for programs built with -fno-omit-frame-pointer throughout: the cheapest walk, wrong
 * wherever a frame has no frame pointer (it leaves callers out). Same bounds as the native unwinder. Rules are used
 * only to tell signal frames and the loader's frames. */
#include "base/attrs.h"
#include "unwind/rule_compile.h"
#include "unwind/state.h"

static void capture(struct lt_unwind_state *state, const struct lt_regs *from, struct lt_stack *stack) {
    struct lt_frames frames = {.state = state};
    uintptr_t ip = from->ip, fp = from->fp, low = from->sp;
    lt_stack_bounds_refresh(&state->bounds);
    const struct lt_stack_range *range = lt_stack_bounds_at(&state->bounds, from->sp, &state->scratch);
    while (ip && lt_frames_push(&frames, ip)) {
        lt_frames_note(&frames, lt_rule_at(ip, false, &state->scratch));
        if (fp == 0)
            break;
        if (!range || fp < low || fp % sizeof fp || !lt_stack_range_has(range, low, fp) ||
            !lt_stack_range_has(range, low, fp + sizeof fp)) {
            frames.flags |= LT_STACK_TRUNCATED;
            break;
        }
        low = fp + 2 * sizeof fp;
        ip = lt_load_word(fp + sizeof fp);
        fp = lt_load_word(fp);
    }
    lt_frames_finish(&frames, stack);
}

const struct lt_unwinder lt_unwinder_fp = {"fp", capture};
