/* The native unwinder: one rule per frame, every read inside the stack's range, each frame further out than the one
 * before. A walk that would break one of the two ends there, truncated. */
#include "base/attrs.h"
#include "unwind/rule_compile.h"
#include "unwind/state.h"

struct walk {
    uintptr_t ip, sp, fp;
    uintptr_t rdi;    /* valid right behind a signal frame only */
    bool interrupted; /* ip is the instruction at which a signal arrived */
    struct lt_stack_range range;
};

enum step { STEP_ON, STEP_END, STEP_LOST };

static LT_ALWAYS_INLINE bool read_word(const struct walk *w, uintptr_t address, uintptr_t *word) {
    if (lt_unlikely(address - w->range.low > w->range.high - w->range.low - sizeof *word))
        return false;
    *word = lt_load_word(address);
    return true;
}

static LT_ALWAYS_INLINE bool find_cfa(const struct walk *w, struct lt_rule rule, uintptr_t *cfa) {
    if (rule.class == LT_RULE_SP || rule.class == LT_RULE_REGISTER_RA) {
        *cfa = w->sp + (uintptr_t)(intptr_t)rule.cfa_offset;
    } else if (rule.class == LT_RULE_FP) {
        *cfa = w->fp + (uintptr_t)(intptr_t)rule.cfa_offset;
    } else {
        uintptr_t base = rule.flags & LT_RULE_BASE_SP ? w->sp : w->fp;
        if (!read_word(w, base + (uintptr_t)(intptr_t)rule.word.at, cfa))
            return false;
        *cfa += (uintptr_t)(intptr_t)rule.word.add;
    }
    return true;
}

static LT_ALWAYS_INLINE bool find_fp(const struct walk *w, struct lt_rule rule, uintptr_t cfa, uintptr_t *fp) {
    uintptr_t offset = (uintptr_t)(intptr_t)rule.fp_offset;
    if (rule.flags & LT_RULE_FP_AT_CFA)
        return read_word(w, cfa + offset, fp);
    if (rule.flags & LT_RULE_FP_AT_FP)
        return read_word(w, w->fp + offset, fp);
    *fp = w->fp;
    return true;
}

static LT_ALWAYS_INLINE enum step move_to(struct walk *w, uintptr_t ip, uintptr_t sp, uintptr_t fp) {
    w->ip = ip;
    w->sp = sp;
    w->fp = fp;
    w->interrupted = false;
    return lt_likely(ip) ? STEP_ON : STEP_END;
}

/* SP, FP, ALIGNED: nearly all frames there are. */
static LT_ALWAYS_INLINE enum step step_by_cfa(struct walk *w, struct lt_rule rule) {
    uintptr_t cfa, ip, fp;
    if (!find_cfa(w, rule, &cfa) || cfa <= w->sp || !read_word(w, cfa - sizeof ip, &ip) || !find_fp(w, rule, cfa, &fp))
        return STEP_LOST;
    return move_to(w, ip, cfa, fp);
}

/* Code without unwind information: maybe it keeps a frame pointer, maybe the register holds anything. By the ABI a
 * frame pointer of 0 marks the end. */
static enum step step_by_frame_pointer(struct walk *w) {
    uintptr_t ip, fp;
    if (w->fp == 0)
        return STEP_END;
    if (w->fp < w->sp || w->fp % sizeof fp || !lt_stack_range_has(&w->range, w->sp, w->fp) ||
        !lt_stack_range_has(&w->range, w->sp, w->fp + sizeof fp))
        return STEP_LOST;
    fp = lt_load_word(w->fp);
    ip = lt_load_word(w->fp + sizeof fp);
    return move_to(w, ip, w->fp + 2 * sizeof fp, fp);
}

/* The interrupted frame may lie on another stack. */
static enum step step_over_signal(struct walk *w, struct lt_unwind_state *state) {
    uintptr_t ip, sp, fp;
    if (!read_word(w, w->sp + LT_UCONTEXT_IP, &ip) || !read_word(w, w->sp + LT_UCONTEXT_SP, &sp) ||
        !read_word(w, w->sp + LT_UCONTEXT_FP, &fp) || !read_word(w, w->sp + LT_UCONTEXT_RDI, &w->rdi) ||
        !lt_stack_bounds_at(&state->bounds, sp, &state->scratch, &w->range))
        return STEP_LOST;
    enum step step = move_to(w, ip, sp, fp);
    w->interrupted = true;
    return step;
}

static enum step step_by_register(struct walk *w, struct lt_rule rule) {
    uintptr_t cfa, fp;
    if (!w->interrupted || !find_cfa(w, rule, &cfa) || cfa < w->sp || !find_fp(w, rule, cfa, &fp))
        return STEP_LOST;
    return move_to(w, w->rdi, cfa, fp);
}

static LT_NOINLINE enum step step_rarely(struct walk *w, struct lt_rule rule, struct lt_unwind_state *state) {
    switch (rule.class) {
    case LT_RULE_END:
        return STEP_END;
    case LT_RULE_SIGNAL:
        return step_over_signal(w, state);
    case LT_RULE_FRAME_POINTER:
        return step_by_frame_pointer(w);
    case LT_RULE_REGISTER_RA:
        return step_by_register(w, rule);
    default:
        return STEP_LOST;
    }
}

static LT_ALWAYS_INLINE enum step step(struct walk *w, struct lt_rule rule, struct lt_unwind_state *state) {
    if (lt_likely(rule.class >= LT_RULE_SP && rule.class <= LT_RULE_ALIGNED))
        return step_by_cfa(w, rule);
    return step_rarely(w, rule, state);
}

static void capture(struct lt_unwind_state *state, const struct lt_regs *from, struct lt_stack *stack) {
    struct lt_frames frames = {.state = state};
    struct walk w = {.ip = from->ip, .sp = from->sp, .fp = from->fp};
    bool readable = lt_stack_bounds_at(&state->bounds, w.sp, &state->scratch, &w.range);
    enum step outcome = readable ? STEP_ON : STEP_LOST;
    if (!readable)
        lt_frames_push(&frames, w.ip);
    while (outcome == STEP_ON) {
        struct lt_rule rule = lt_rule_at(w.ip, w.interrupted, &state->scratch);
        if (lt_unlikely(rule.class == LT_RULE_NOT_CODE) && frames.count > 0)
            outcome = STEP_LOST; /* what was read is no return address */
        else if (!lt_frames_push(&frames, w.ip))
            break;
        else
            outcome = step(&w, rule, state);
        lt_frames_note(&frames, rule);
    }
    if (outcome == STEP_LOST)
        frames.flags |= LT_STACK_TRUNCATED;
    lt_frames_finish(&frames, stack);
}

const struct lt_unwinder lt_unwinder_native = {"native", capture};
