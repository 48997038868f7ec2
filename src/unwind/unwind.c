#include "unwind/unwind.h"

#include "os/arena.h"
#include "unwind/code_ranges.h"
#include "unwind/modules.h"
#include "unwind/rule_compile.h"
#include "unwind/state.h"

#include <errno.h>
#include <string.h>

struct lt_unwind_options lt_unwind_options = {.depth = LT_DEPTH_DEFAULT};

static const struct lt_unwinder *const unwinders[] = {&lt_unwinder_native, &lt_unwinder_fp, &lt_unwinder_libunwind};
static const struct lt_unwinder *in_use = &lt_unwinder_native;

static int choose(const char *name) {
    in_use = &lt_unwinder_native;
    for (unsigned i = 0; i < LT_ARRAY_SIZE(unwinders); i++) {
        bool usable = unwinders[i] != &lt_unwinder_libunwind || lt_unwind_options.libunwind_backtrace;
        if (strcmp(unwinders[i]->name, name) == 0 && usable) {
            in_use = unwinders[i];
            return 0;
        }
    }
    return -EINVAL;
}

int lt_unwind_init(const struct lt_unwind_options *options) {
    lt_unwind_options = *options;
    lt_stack_bounds_init();
    if (options->depth < 1 || options->depth > LT_DEPTH_MAX)
        lt_unwind_options.depth = LT_DEPTH_DEFAULT;
    if (lt_rule_cache_init() != 0 || lt_modules_init() != 0)
        return -ENOMEM;
    return choose(options->unwinder);
}

const struct lt_unwinder *lt_unwinder(void) {
    return in_use;
}

static bool make_arrays(struct lt_unwind_state *state, uint32_t depth) {
    state->depth = depth;
    state->ips = lt_arena_alloc(depth * sizeof *state->ips, 64);
    state->notes = lt_arena_alloc(depth * sizeof *state->notes, 64);
    state->fresh = lt_arena_alloc(depth * sizeof *state->fresh, 64);
    state->end = state->fresh + depth;
    state->tails = lt_arena_alloc(sizeof *state->tails, 64);
    if (in_use == &lt_unwinder_libunwind)
        state->foreign = lt_arena_alloc((depth + LT_FOREIGN_FRAMES) * sizeof *state->foreign, 8);
    return state->ips && state->notes && state->fresh && state->tails &&
           (state->foreign || in_use != &lt_unwinder_libunwind) && lt_memos_init(&state->memos, depth);
}

void lt_unwind_state_forget_stacks(struct lt_unwind_state *state) {
    lt_memos_clear(&state->memos);
    state->noted = 0;
    for (unsigned set = 0; set < LT_TAIL_SETS; set++)
        for (unsigned way = 0; way < LT_TAIL_WAYS; way++)
            state->tails->sets[set][way].note = 0;
}

struct lt_unwind_state *lt_unwind_state_new(void) {
    struct lt_unwind_state *state = lt_arena_alloc(sizeof *state, 64);
    if (!state || !make_arrays(state, lt_unwind_options.depth))
        return NULL;
    lt_unwind_state_reset(state);
    return state;
}

void lt_unwind_state_reset(struct lt_unwind_state *state) {
    lt_unwind_state_forget_stacks(state);
    lt_stack_bounds_forget(&state->bounds);
}

void lt_unwind_capture(struct lt_unwind_state *state, const struct lt_regs *from, struct lt_stack *stack) {
    in_use->capture(state, from, stack);
}

void lt_unwind_range_gone(uintptr_t start, uintptr_t end) {
    lt_stack_bounds_gone(start, end);
    lt_code_ranges_gone(start, end);
}

void lt_unwind_stats(struct lt_unwind_stats *stats) {
    lt_rule_compile_counts(&stats->rule_misses, &stats->rules_none);
    stats->bounds_lookups = lt_stack_bounds_lookups();
}
