/* libunwind, through a pointer to its unw_backtrace that the caller found. It starts from its own frame and gives the
 * innermost first, so our own frames are skipped up to the one that the hook returns to. It can't say why it ended: a
 * stack counts as truncated where it fills the room. Its hazards: docs/design/unwinding.md. */
#include "unwind/rule_compile.h"
#include "unwind/state.h"

static int find_caller(void *const *frames, int count, uintptr_t ip) {
    int i = 0;
    while (i < count && (uintptr_t)frames[i] != ip)
        i++;
    return i;
}

static void capture(struct lt_unwind_state *state, const struct lt_regs *from, struct lt_stack *stack) {
    struct lt_frames frames = {.state = state};
    int room = (int)state->depth + LT_FOREIGN_FRAMES;
    int count = lt_unwind_options.libunwind_backtrace(state->foreign, room);
    int first = find_caller(state->foreign, count, from->ip);
    if (first >= count || count == room)
        frames.flags |= LT_STACK_TRUNCATED;
    if (first >= count)
        lt_frames_push(&frames, from->ip);
    for (int i = first; i < count; i++) {
        uintptr_t ip = (uintptr_t)state->foreign[i];
        if (ip == 0 || !lt_frames_push(&frames, ip))
            break;
        lt_frames_note(&frames, lt_rule_at(ip, false, &state->scratch));
    }
    lt_frames_finish(&frames, stack);
}

const struct lt_unwinder lt_unwinder_libunwind = {"libunwind", capture};
