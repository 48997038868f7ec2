/* The native unwinder: rules (rule_compile.h) from the innermost frame outwards until a frame is one that the memo
 * knows; the rest is proven by comparing words, and only what is not is unwound (memo.h). */
#include "unwind/memos.h"
#include "unwind/rule_compile.h"
#include "unwind/state.h"
#include "unwind/walk.h"

#include <stddef.h>

struct capture {
    struct lt_unwind_state *state;
    struct lt_walk walk;
    const struct lt_memo *memo;
    uint32_t candidates; /* frames of the memo that the walk may still meet */
    uint32_t fresh;      /* frames found by unwinding, at the end of state->fresh and state->ips */
    uint32_t flags;      /* enum lt_stack_flag, of the fresh frames */
    bool unsure;         /* where a word was read, another time might not be readable */
};

enum outcome {
    OUTCOME_ON,
    OUTCOME_KNOWN, /* the rest is in the memo */
    OUTCOME_WHOLE, /* there are no more frames */
    OUTCOME_CUT,   /* there are, but as many as may be were found */
    OUTCOME_LOST,  /* there may be */
};

/* Whether the walk is in the state that the memo's next candidate was in, and what the memo knows from there would not
 * be cut by the depth limit, or is cut where the limit cuts it now. */
static LT_ALWAYS_INLINE bool is_known(struct capture *c, const struct lt_walk *w) {
    const struct lt_memo *memo = c->memo;
    uint32_t candidates = c->candidates;
    while (candidates > 0 && memo->frames[candidates - 1].sp < w->sp)
        candidates--;
    c->candidates = candidates;
    if (lt_unlikely(candidates == 0))
        return false;
    const struct lt_memo_frame *frame = &memo->frames[candidates - 1];
    uint32_t depth = c->fresh + candidates;
    return frame->sp == w->sp && memo->ips[candidates - 1] == w->ip && (frame->fp == w->fp || !frame->fp_live) &&
           (lt_likely(memo->whole) ? depth <= c->state->depth : depth == c->state->depth);
}

/* Adds the frame that the walk has just left by `rule`. */
static LT_ALWAYS_INLINE void push(struct capture *c, uintptr_t ip, struct lt_memo_frame frame, uint32_t flags) {
    uint32_t at = c->state->depth - ++c->fresh;
    frame.own_flags = (uint8_t)flags;
    c->flags |= flags;
    c->state->ips[at] = ip;
    c->state->fresh[at] = frame;
}

static LT_ALWAYS_INLINE uint32_t flags_of(struct lt_rule rule) {
    return (rule.flags & LT_RULE_LOADER ? LT_STACK_LOADER : 0) | (rule.class == LT_RULE_SIGNAL ? LT_STACK_SIGNAL : 0);
}

/* The word number `differs` has another value than in the memo. Frames whose steps read only newer words are proven:
 * they are taken over, with the fp that they have now. What is left of the candidates ends below the frame whose step
 * read that word; the result is its fp. */
static LT_NOINLINE uintptr_t take_proven(struct capture *c, uintptr_t fp, uint32_t differs) {
    const struct lt_memo *memo = c->memo;
    uint32_t i = c->candidates - 1;
    for (; i > 0 && memo->frames[i - 1].words > differs; i--) {
        struct lt_memo_frame frame = memo->frames[i];
        frame.fp = fp;
        push(c, memo->ips[i], frame, frame.own_flags);
        if (frame.fp_slot)
            fp = lt_load_word(frame.fp_slot);
    }
    c->candidates = i;
    return fp;
}

/* Whether all that the memo knows from its next candidate on is still so; if not, the walk goes on where it is not. */
static LT_ALWAYS_INLINE bool prove(struct capture *c, struct lt_walk *w) {
    uint32_t left = lt_memo_compare(c->memo, c->memo->frames[c->candidates - 1].words);
    if (lt_likely(left == 0))
        return true;
    w->fp = take_proven(c, w->fp, left - 1);
    w->ip = c->memo->ips[c->candidates];
    w->sp = c->memo->frames[c->candidates].sp;
    return false;
}

static LT_ALWAYS_INLINE struct lt_memo_frame frame_of(const struct lt_walk *w, struct lt_rule rule) {
    return (struct lt_memo_frame){.sp = w->sp, .fp = w->fp, .uses_fp = lt_rule_uses_fp(rule)};
}

static LT_ALWAYS_INLINE void push_left(struct capture *c, uintptr_t ip, struct lt_memo_frame frame,
                                       const struct lt_walk *w, struct lt_rule rule) {
    frame.fp_slot = w->fp_slot;
    frame.cfa_slot = w->cfa_slot;
    push(c, ip, frame, flags_of(rule));
}

/* Unwinds from a frame with an uncommon rule to the end. */
static LT_NOINLINE enum outcome unwind_rest(struct capture *c) {
    struct lt_interrupted interrupted = {false, 0};
    struct lt_walk *w = &c->walk;
    enum lt_step step = LT_STEP_ON;
    while (step == LT_STEP_ON) {
        struct lt_rule rule = lt_rule_at(w->ip, interrupted.here, &c->state->scratch);
        struct lt_memo_frame frame = frame_of(w, rule);
        uintptr_t ip = w->ip;
        if (rule.class == LT_RULE_NOT_CODE && c->fresh > 0)
            return OUTCOME_LOST; /* what was read is no return address */
        if (c->fresh == c->state->depth)
            return OUTCOME_CUT;
        c->unsure |= rule.class == LT_RULE_FRAME_POINTER && !w->range.own;
        step = lt_walk_step_any(w, rule, &interrupted, c->state);
        push_left(c, ip, frame, w, rule);
    }
    return step == LT_STEP_END ? OUTCOME_WHOLE : OUTCOME_LOST;
}

/* Unwinds until a frame that is known and proven, or to the end. The walk is kept in registers meanwhile. */
static LT_NOINLINE enum outcome unwind(struct capture *c) {
    struct lt_walk w = c->walk;
    enum lt_step step = LT_STEP_ON;
    while (lt_likely(step == LT_STEP_ON)) {
        struct lt_rule rule = lt_rule_at(w.ip, false, &c->state->scratch);
        struct lt_memo_frame frame = frame_of(&w, rule);
        uintptr_t ip = w.ip;
        if (lt_unlikely(!lt_walk_is_common(rule) || c->fresh == c->state->depth)) {
            c->walk = w;
            return unwind_rest(c);
        }
        step = lt_walk_step(&w, rule);
        push_left(c, ip, frame, &w, rule);
        if (lt_likely(step == LT_STEP_ON) && is_known(c, &w) && prove(c, &w))
            return OUTCOME_KNOWN;
    }
    c->walk = w;
    return step == LT_STEP_END ? OUTCOME_WHOLE : OUTCOME_LOST;
}

static LT_NOINLINE enum outcome unwind_in_bounds(struct capture *c) {
    struct lt_unwind_state *state = c->state;
    if (lt_likely(lt_stack_bounds_at(&state->bounds, c->walk.sp, &state->scratch, &c->walk.range)))
        return unwind(c);
    push(c, c->walk.ip, (struct lt_memo_frame){.sp = c->walk.sp}, 0);
    return OUTCOME_LOST;
}

/* The stack is the memo's first `kept` frames and the fresh ones. */
static LT_ALWAYS_INLINE void give_memo(const struct capture *c, struct lt_memo *memo, uint32_t kept,
                                       const struct lt_beyond *beyond, struct lt_stack *stack) {
    struct lt_unwind_state *state = c->state;
    uint32_t at = state->depth - c->fresh;
    if (c->fresh > 0)
        lt_memo_replace(memo, kept, &state->fresh[at], &state->ips[at], c->fresh, beyond);
    else
        memo->count = kept;
    *stack = (struct lt_stack){
        .frames = memo->ips,
        .depth = memo->count,
        .reused = state->previous == memo ? kept : 0,
        .serial = state->serial,
        .flags = memo->frames[memo->count - 1].flags,
        .epoch = lt_unwind_epoch(),
    };
    state->previous = memo;
}

/* Nothing to remember: a stack without an end, with a signal on it, or walked on a guess over memory that may go. */
static void give_fresh(const struct capture *c, uint32_t truncated, struct lt_stack *stack) {
    struct lt_unwind_state *state = c->state;
    *stack = (struct lt_stack){
        .frames = &state->ips[state->depth - c->fresh],
        .depth = c->fresh,
        .serial = state->serial,
        .flags = c->flags | truncated,
        .epoch = lt_unwind_epoch(),
    };
    state->previous = NULL;
}

static LT_NOINLINE void give_new(const struct capture *c, enum outcome outcome, struct lt_stack *stack) {
    bool whole = outcome == OUTCOME_WHOLE;
    if (outcome == OUTCOME_LOST || (c->flags & LT_STACK_SIGNAL) || c->unsure) {
        give_fresh(c, whole ? 0 : LT_STACK_TRUNCATED, stack);
        return;
    }
    const struct lt_memo_frame *fresh = &c->state->fresh[c->state->depth - c->fresh];
    struct lt_memo *memo = lt_memos_for_new(&c->state->memos, fresh[c->fresh - 1].sp, fresh[0].sp, whole);
    struct lt_beyond beyond = {.whole = whole, .read = !whole || c->walk.ip == 0, .sp = c->walk.sp, .ip = c->walk.ip};
    give_memo(c, memo, 0, &beyond, stack);
}

/* Rules were dropped, or memory that was a stack has gone: nothing remembered can be relied on. */
static LT_ALWAYS_INLINE void refresh(struct lt_unwind_state *state) {
    uint32_t generation = lt_rule_cache_generation();
    bool gone = lt_stack_bounds_refresh(&state->bounds);
    if (lt_unlikely(gone || generation != state->generation)) {
        state->generation = generation;
        lt_memos_clear(&state->memos);
    }
}

static void capture(struct lt_unwind_state *state, const struct lt_regs *from, struct lt_stack *stack) {
    state->serial++;
    refresh(state);
    struct lt_memo *memo = lt_memos_at(&state->memos, from->sp);
    struct capture c = {.state = state,
                        .walk = {.ip = from->ip, .sp = from->sp, .fp = from->fp},
                        .memo = memo,
                        .candidates = memo->count};
    enum outcome outcome = is_known(&c, &c.walk) && prove(&c, &c.walk) ? OUTCOME_KNOWN : unwind_in_bounds(&c);
    if (lt_likely(outcome == OUTCOME_KNOWN))
        give_memo(&c, memo, c.candidates, NULL, stack);
    else
        give_new(&c, outcome, stack);
}

const struct lt_unwinder lt_unwinder_native = {"native", capture};
