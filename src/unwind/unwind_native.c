/* The native unwinder: rules (rule_compile.h) from the innermost frame outwards until a frame is one that the memo
 * knows; the rest is proven by comparing words, and only what is not is unwound (memo.h). Where the whole stack is one
 * of those captured lately, nothing is unwound (tails.h).
 *
 * HOT PATH: `capture`, and `walk` for the frames whose rule fits 16 bits. All else is one step, or all the others, in a
 * function that is not inlined. */
#include "unwind/memos.h"
#include "unwind/rule_compile.h"
#include "unwind/state.h"
#include "unwind/walk.h"

#include <stddef.h>
#include <string.h>

/* Where a walk is. The hot loop has it in registers; functions that are not inlined are given a copy of it to change.
 */
struct place {
    uintptr_t ip, sp, fp;
    const struct lt_memo_frame *met; /* the memo's newest frame that it may still meet, frames[-1]: none */
    struct lt_memo_frame *fresh;     /* the frame unwound last; they fill the room from its end */
};

enum outcome {
    OUTCOME_ON,
    OUTCOME_KNOWN, /* the rest is in the memo */
    OUTCOME_WHOLE, /* there are no more frames */
    OUTCOME_CUT,   /* there are, but as many as may be were found */
    OUTCOME_LOST,  /* there may be */
    OUTCOME_RARE,  /* for unwind_rest */
};

/* Whether the walk is in the state that a frame of the memo was in. */
static LT_ALWAYS_INLINE bool meets(struct place *at) {
    const struct lt_memo_frame *met = at->met;
    while (met->sp < at->sp)
        met--;
    at->met = met;
    return met->sp == at->sp && met->ip == at->ip && !lt_fp_differs(at->fp, met->fp, met->all);
}

/* Whether the depth limit does not cut what the memo knows, or cuts it where it has cut the memo. */
static LT_ALWAYS_INLINE bool fits(const struct lt_unwind_state *state, const struct lt_memo *memo,
                                  const struct place *at) {
    const ptrdiff_t depth = (state->end - at->fresh) + (at->met + 1 - memo->frames);
    return lt_likely(memo->whole) ? depth <= state->depth : depth == state->depth;
}

/* The word number `differs` has another value than in the memo. Frames whose steps read only newer words are proven:
 * they are taken over, with the fp that they have now. The walk goes on at the frame whose step read that word. */
static LT_NOINLINE void take_proven(const struct lt_memo *memo, uint32_t differs, struct place *at) {
    const struct lt_memo_frame *frame = at->met;
    for (; frame != memo->frames && frame[-1].words > differs; frame--) {
        *--at->fresh = *frame;
        at->fresh->fp = at->fp;
        if (frame->fp_slot)
            at->fp = lt_load_word(frame->fp_slot);
    }
    at->ip = frame->ip;
    at->sp = frame->sp;
    at->met = frame - 1;
}

/* Guessed over memory that may go; or on another stack, of which the memo knows no order. */
static bool is_unsure(const struct lt_walk *w, struct lt_rule rule) {
    return (rule.class == LT_RULE_FRAME_POINTER && !w->range.own) || rule.class == LT_RULE_GO_SWITCH;
}

static uint32_t own_bits(const struct lt_walk *w, struct lt_rule rule) {
    return (rule.flags & LT_RULE_LOADER ? LT_STACK_LOADER : 0) | (rule.class == LT_RULE_SIGNAL ? LT_STACK_SIGNAL : 0) |
           (lt_rule_uses_fp(rule) ? LT_FRAME_FP : 0) | (w->cfa_slot ? LT_FRAME_CFA_SLOT : 0) |
           (is_unsure(w, rule) ? LT_FRAME_UNSURE : 0);
}

/* Adds the frame that the walk has just left by `rule`. */
static void push(struct place *at, const struct lt_walk *w, struct lt_rule rule) {
    *--at->fresh = (struct lt_memo_frame){.ip = at->ip,
                                          .sp = at->sp,
                                          .fp = at->fp,
                                          .fp_slot = w->fp_slot,
                                          .cfa_slot = w->cfa_slot,
                                          .own = own_bits(w, rule)};
    at->ip = w->ip;
    at->sp = w->sp;
    at->fp = w->fp;
}

static enum outcome outcome_of(enum lt_step step) {
    return step == LT_STEP_ON ? OUTCOME_ON : step == LT_STEP_END ? OUTCOME_WHOLE : OUTCOME_LOST;
}

/* Whether the rule is that of code without unwind information, and nothing else need be known of it: on a goroutine's
 * stack there is no C code. */
static LT_ALWAYS_INLINE bool is_plain_frame_pointer(const struct lt_unwind_state *state, uintptr_t ip) {
    struct lt_rule rule;
    return lt_rule_cache_find(ip, false, &rule) && rule.class == LT_RULE_FRAME_POINTER &&
           (rule.flags == 0 || (rule.flags == LT_RULE_GO_LINKED && state->go_system.sp));
}

/* Follows frame pointers on a stack that can't go: most of a goroutine's. What lt_walk_step_any would do, in a third of
 * the time. Stops in front of the first frame that is not so simple. */
static void follow_frame_pointers(const struct lt_unwind_state *state, struct lt_walk *w, struct place *at) {
    while (w->range.own && at->fresh != state->fresh && is_plain_frame_pointer(state, w->ip)) {
        const uintptr_t fp = w->fp;
        if (fp < w->sp || fp % sizeof fp || fp - w->range.low >= w->range.size - sizeof fp)
            return;
        *--at->fresh = (struct lt_memo_frame){.ip = w->ip, .sp = w->sp, .fp = fp, .fp_slot = fp, .own = LT_FRAME_FP};
        w->ip = at->ip = lt_load_word(fp + sizeof fp);
        w->sp = at->sp = fp + 2 * sizeof fp;
        w->fp = at->fp = lt_load_word(fp);
    }
}

/* Unwinds from a frame with an uncommon rule to the end. */
static LT_NOINLINE enum outcome unwind_rest(struct lt_unwind_state *state, const struct lt_stack_range *range,
                                            struct place *at) {
    struct lt_interrupted interrupted = {false, 0};
    struct lt_walk w = {.ip = at->ip, .sp = at->sp, .fp = at->fp, .range = *range};
    enum lt_step step = LT_STEP_ON;
    state->go_system.sp = 0;
    while (step == LT_STEP_ON) {
        if (!interrupted.here)
            follow_frame_pointers(state, &w, at);
        struct lt_rule rule = lt_rule_at(w.ip, interrupted.here, &state->scratch);
        if (rule.class == LT_RULE_NOT_CODE && at->fresh != state->end)
            return OUTCOME_LOST; /* what was read is no return address */
        if (at->fresh == state->fresh)
            return OUTCOME_CUT;
        step = lt_walk_step_any(&w, rule, &interrupted, state);
        push(at, &w, rule);
    }
    return outcome_of(step);
}

/* A step by any common rule. A return address of 0 has no caller. */
static LT_NOINLINE enum outcome step_by_any(struct lt_unwind_state *state, const struct lt_stack_range *range,
                                            struct place *at) {
    if (at->ip == 0 && at->fresh != state->end)
        return OUTCOME_WHOLE;
    struct lt_rule rule = lt_rule_at(at->ip, false, &state->scratch);
    if (!lt_walk_is_common(rule) || at->fresh == state->fresh)
        return OUTCOME_RARE;
    struct lt_walk w = {.ip = at->ip, .sp = at->sp, .fp = at->fp, .range = *range};
    enum lt_step step = lt_walk_step(&w, rule);
    push(at, &w, rule);
    return outcome_of(step);
}

/* A step by a rule of 16 bits. False, and nothing has happened, where it is another one, leads beyond `high`, or the
 * depth limit is reached. That of address 0 leads nowhere. */
static LT_ALWAYS_INLINE bool step_by_packed(struct place *at, uintptr_t high, const struct lt_memo_frame *limit) {
    const uint32_t rule = lt_rule_cache_packed(at->ip, false);
    const uintptr_t cfa = (rule & LT_PACKED_FP ? at->fp : at->sp) + lt_packed_cfa(rule);
    if (lt_unlikely(rule >= LT_PACKED_INDIRECT || cfa - at->sp - 1 >= high - at->sp || at->fresh == limit))
        return false;
    uintptr_t fp = at->fp, fp_slot = 0;
    if (lt_packed_saves_fp(rule)) {
        fp_slot = cfa - lt_packed_slot(rule);
        if (lt_unlikely(fp_slot < at->sp))
            return false;
        fp = lt_load_word(fp_slot);
    }
    struct lt_memo_frame *frame = --at->fresh;
    frame->ip = at->ip;
    frame->sp = at->sp;
    frame->fp = at->fp;
    frame->fp_slot = fp_slot;
    frame->own = rule & LT_PACKED_FP ? LT_FRAME_FP : 0;
    at->ip = lt_load_word(cfa - sizeof at->ip);
    at->sp = cfa;
    at->fp = fp;
    return true;
}

/* Unwinds until a frame that is known and proven, or to the end. */
static LT_ALWAYS_INLINE enum outcome unwind(struct lt_unwind_state *state, const struct lt_memo *memo,
                                            const struct lt_stack_range *range, struct place *place) {
    const uintptr_t high = range->low + range->size;
    for (struct place at = *place;; at = *place) {
        do {
            if (!meets(&at) || !fits(state, memo, &at))
                continue;
            const uint32_t left = lt_memo_compare(memo->words, at.met->words);
            *place = at;
            if (lt_likely(left == 0))
                return OUTCOME_KNOWN;
            take_proven(memo, left - 1, place);
            at = *place;
        } while (lt_likely(step_by_packed(&at, high, state->fresh)));
        *place = at;
        enum outcome outcome = step_by_any(state, range, place);
        if (outcome != OUTCOME_ON)
            return outcome == OUTCOME_RARE ? unwind_rest(state, range, place) : outcome;
    }
}

/* The stack is that of the memo. */
static LT_ALWAYS_INLINE void give_memo(struct lt_unwind_state *state, struct lt_memo *memo, struct lt_stack *stack) {
    const uint32_t depth = memo->count;
    stack->note = 0;
    stack->frames = memo->ips;
    stack->notes = memo->notes;
    stack->note_kept = &state->note_kept;
    stack->noted = &memo->noted;
    stack->depth = depth;
    stack->flags = memo->frames[depth - 1].all & LT_FRAME_FLAGS;
    stack->epoch = lt_unwind_epoch();
    if (lt_unlikely(stack->epoch != state->epoch))
        memo->noted = 0; /* while it was captured */
}

static LT_ALWAYS_INLINE void give_known(struct lt_unwind_state *state, struct lt_memo *memo, const struct place *at,
                                        struct lt_stack *stack) {
    const uint32_t kept = (uint32_t)(at->met + 1 - memo->frames);
    lt_memo_replace(memo, kept, at->fresh, state->end);
    give_memo(state, memo, stack);
    uint64_t *note = lt_tails_keep(state->tails, memo, kept - 1);
    if (lt_likely(note))
        stack->note_kept = note;
}

/* How many outer frames, with their notes, are those of the stack given last. */
static uint32_t common_frames(const struct lt_unwind_state *state, const struct lt_memo_frame *fresh, uint32_t depth,
                              uint32_t truncated) {
    const uint32_t known = state->noted < depth ? state->noted : depth;
    uint32_t common = 0;
    while (state->noted_as == truncated && common < known && state->ips[common] == fresh[common].ip)
        common++;
    return common;
}

/* Nothing to remember but the frames themselves: a stack in C and Go has been walked, and is mostly the same. */
static void give_fresh(struct lt_unwind_state *state, const struct place *at, uint32_t flags, struct lt_stack *stack) {
    const uint32_t depth = (uint32_t)(state->end - at->fresh);
    const uint32_t common = common_frames(state, at->fresh, depth, flags & LT_STACK_TRUNCATED);
    state->noted = 0; /* until all is in place */
    state->noted_as = flags & LT_STACK_TRUNCATED;
    atomic_signal_fence(memory_order_seq_cst);
    for (uint32_t i = common; i < depth; i++)
        state->ips[i] = at->fresh[i].ip;
    atomic_signal_fence(memory_order_seq_cst);
    lt_stack_give(state, state->ips, depth, flags, common, stack);
    if (lt_unlikely(stack->epoch != state->epoch))
        state->noted = 0; /* while it was captured */
}

/* Not remembered: a stack without an end, with a signal on it, or walked on a guess over memory that may go. */
static LT_NOINLINE void give_new(struct lt_unwind_state *state, const struct place *at, enum outcome outcome,
                                 struct lt_stack *stack) {
    const struct lt_memo_frame *const end = state->end;
    const bool whole = outcome == OUTCOME_WHOLE;
    uint32_t bits = whole ? 0 : LT_STACK_TRUNCATED;
    for (const struct lt_memo_frame *frame = at->fresh; frame != end; frame++)
        bits |= frame->own;
    if (outcome == OUTCOME_LOST || bits & (LT_STACK_SIGNAL | LT_FRAME_UNSURE)) {
        give_fresh(state, at, bits & LT_FRAME_FLAGS, stack);
        return;
    }
    struct lt_memo *memo = lt_memos_for_new(&state->memos, end[-1].sp, at->fresh->sp, whole);
    struct lt_beyond beyond = {.whole = whole, .read = !whole || at->ip == 0, .sp = at->sp, .ip = at->ip};
    lt_memo_begin(memo, at->fresh, &beyond);
    lt_memo_replace(memo, 1, at->fresh + 1, end);
    give_memo(state, memo, stack);
}

/* There is no stack that could be read: the one frame that is known without it. */
static LT_COLD void give_first(struct lt_unwind_state *state, struct place *at, struct lt_stack *stack) {
    *--at->fresh = (struct lt_memo_frame){.ip = at->ip, .sp = at->sp};
    give_fresh(state, at, LT_STACK_TRUNCATED, stack);
}

/* Rules were dropped, memory that was a stack has gone, or addresses mean other code: nothing remembered can be relied
 * on. */
static LT_ALWAYS_INLINE void refresh(struct lt_unwind_state *state) {
    const uint32_t generation = lt_rule_cache_generation(), epoch = lt_unwind_epoch();
    const bool gone = lt_stack_bounds_refresh(&state->bounds);
    if (lt_unlikely(gone || generation != state->generation || epoch != state->epoch)) {
        state->generation = generation;
        state->epoch = epoch;
        lt_unwind_state_forget_stacks(state);
    }
}

static LT_NOINLINE void walk(struct lt_unwind_state *state, struct lt_memo *memo, const struct lt_regs *from,
                             struct lt_stack *stack) {
    struct place at = {from->ip, from->sp, from->fp, memo->frames + memo->count - 1, state->end};
    const struct lt_stack_range *range = lt_stack_bounds_at(&state->bounds, at.sp, &state->scratch);
    if (lt_unlikely(!range)) {
        give_first(state, &at, stack);
        return;
    }
    enum outcome outcome = unwind(state, memo, range, &at);
    if (lt_likely(outcome == OUTCOME_KNOWN))
        give_known(state, memo, &at, stack);
    else
        give_new(state, &at, outcome, stack);
}

static LT_ALWAYS_INLINE void give_note(const struct lt_unwind_state *state, uint64_t note, uint32_t depth, uint32_t all,
                                       struct lt_stack *stack) {
    stack->note = note;
    stack->depth = depth;
    stack->flags = all & LT_FRAME_FLAGS;
    stack->epoch = state->epoch;
}

/* Whether the stack is the memo's, and noted. */
static LT_ALWAYS_INLINE bool is_memo(const struct lt_unwind_state *state, const struct lt_memo *memo,
                                     const struct lt_regs *from, struct lt_stack *stack) {
    const struct lt_memo_frame *last = memo->frames + memo->count - 1;
    if (last->sp != from->sp || last->ip != from->ip || lt_fp_differs(from->fp, last->fp, last->all) ||
        memo->noted < memo->count || !memo->whole || lt_memo_compare(memo->words, last->words) != 0)
        return false;
    give_note(state, memo->notes[memo->count - 1], memo->count, last->all, stack);
    return true;
}

static LT_ALWAYS_INLINE bool is_tail(const struct lt_unwind_state *state, const struct lt_memo *memo,
                                     const struct lt_regs *from, struct lt_stack *stack) {
    const struct lt_tail *tail = lt_tails_at(state->tails, from->ip, from->sp);
    for (const struct lt_tail *const end = tail + LT_TAIL_WAYS; tail != end; tail++) {
        if (!lt_tail_begins(tail, from) || !lt_tail_joins(tail, memo) ||
            lt_memo_compare(tail->word, tail->words) != 0 ||
            lt_memo_compare(memo->words, memo->frames[tail->joint].words) != 0)
            continue;
        give_note(state, tail->note, tail->joint + 1u + tail->frames, tail->all, stack);
        return true;
    }
    return false;
}

static void capture(struct lt_unwind_state *state, const struct lt_regs *from, struct lt_stack *stack) {
    refresh(state);
    struct lt_memo *memo = lt_memos_at(&state->memos, from->sp);
    if (!is_memo(state, memo, from, stack) && !is_tail(state, memo, from, stack))
        walk(state, memo, from, stack);
}

const struct lt_unwinder lt_unwinder_native = {"native", capture};
