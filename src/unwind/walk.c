#include "unwind/walk.h"

#include "unwind/go_switch.h"

/* Code without unwind information: maybe it keeps a frame pointer, maybe the register holds anything. By the ABI a
 * frame pointer of 0 marks the end. */
static enum lt_step step_by_frame_pointer(struct lt_walk *w) {
    const uintptr_t fp = w->fp;
    if (fp == 0)
        return LT_STEP_END;
    if (fp < w->sp || fp % sizeof fp || !lt_stack_range_has(&w->range, w->sp, fp) ||
        !lt_stack_range_has(&w->range, w->sp, fp + sizeof fp))
        return LT_STEP_LOST;
    w->fp_slot = fp;
    w->cfa_slot = 0;
    return lt_walk_to(w, lt_load_word(fp + sizeof fp), fp + 2 * sizeof fp, lt_load_word(fp));
}

/* The interrupted frame may lie on another stack. */
static enum lt_step step_over_signal(struct lt_walk *w, struct lt_interrupted *interrupted,
                                     struct lt_unwind_state *state) {
    uintptr_t ip, sp, fp;
    if (!lt_walk_read(w, w->sp + LT_UCONTEXT_IP, &ip) || !lt_walk_read(w, w->sp + LT_UCONTEXT_SP, &sp) ||
        !lt_walk_read(w, w->sp + LT_UCONTEXT_FP, &fp) || !lt_walk_read(w, w->sp + LT_UCONTEXT_RDI, &interrupted->rdi))
        return LT_STEP_LOST;
    const struct lt_stack_range *range = lt_stack_bounds_at(&state->bounds, sp, &state->scratch);
    if (!range)
        return LT_STEP_LOST;
    w->range = *range;
    interrupted->here = true;
    return lt_walk_to(w, ip, sp, fp);
}

static enum lt_step step_by_register(struct lt_walk *w, struct lt_rule rule, uintptr_t ip) {
    uintptr_t cfa, fp;
    if (!lt_walk_cfa(w, rule, &cfa) || cfa < w->sp || !lt_walk_fp(w, rule, cfa, &fp))
        return LT_STEP_LOST;
    return lt_walk_to(w, ip, cfa, fp);
}

enum lt_step lt_walk_step_any(struct lt_walk *w, struct lt_rule rule, struct lt_interrupted *interrupted,
                              struct lt_unwind_state *state) {
    bool was_here = interrupted->here;
    interrupted->here = false;
    switch (rule.class) {
    case LT_RULE_SP:
    case LT_RULE_FP:
    case LT_RULE_ALIGNED:
        return lt_walk_step(w, rule);
    case LT_RULE_END:
        return LT_STEP_END;
    case LT_RULE_SIGNAL:
        return step_over_signal(w, interrupted, state);
    case LT_RULE_FRAME_POINTER:
        return rule.flags & LT_RULE_GO_LINKED && lt_go_find_switch(w, state) ? LT_STEP_ON : step_by_frame_pointer(w);
    case LT_RULE_GO_SWITCH:
        return lt_go_switch_step(w, rule, state);
    case LT_RULE_GO_BACK:
        return lt_go_back_step(w, rule, state);
    case LT_RULE_REGISTER_RA:
        return was_here ? step_by_register(w, rule, interrupted->rdi) : LT_STEP_LOST;
    default:
        return LT_STEP_LOST;
    }
}
