/* One unwind step: from a frame's registers to its caller's, by the frame's rule. Every read lies inside the stack's
 * range, and each frame lies further out than the one before; what would break one of the two is LOST.
 *
 * A step is a function of {ip, sp, fp} and of the words it reads. Where it read them is noted, so that a later capture
 * can prove the same step by comparing words (memo.h): the return address is always the word below the caller's sp. */
#ifndef LT_UNWIND_WALK_H
#define LT_UNWIND_WALK_H

#include "base/attrs.h"
#include "unwind/arch_native.h"
#include "unwind/rule.h"
#include "unwind/state.h"

#include <stdbool.h>
#include <stdint.h>

struct lt_walk {
    uintptr_t ip, sp, fp;
    uintptr_t fp_slot;  /* of the last step: where the caller's fp was read, 0: unchanged */
    uintptr_t cfa_slot; /* of the last step: the word that gave the CFA, 0: none did */
    struct lt_stack_range range;
};

enum lt_step {
    LT_STEP_ON,
    LT_STEP_END,  /* there is no caller; ip is 0 if that was read from the stack */
    LT_STEP_LOST, /* there may be one */
};

static inline bool lt_walk_read(const struct lt_walk *w, uintptr_t address, uintptr_t *word) {
    if (lt_unlikely(address - w->range.low > w->range.size - sizeof *word))
        return false;
    *word = lt_load_word(address);
    return true;
}

static inline bool lt_walk_cfa(struct lt_walk *w, struct lt_rule rule, uintptr_t *cfa) {
    w->cfa_slot = 0;
    if (rule.class == LT_RULE_SP || rule.class == LT_RULE_REGISTER_RA) {
        *cfa = w->sp + (uintptr_t)(intptr_t)rule.cfa_offset;
    } else if (rule.class == LT_RULE_FP) {
        *cfa = w->fp + (uintptr_t)(intptr_t)rule.cfa_offset;
    } else {
        w->cfa_slot = (rule.flags & LT_RULE_BASE_SP ? w->sp : w->fp) + (uintptr_t)(intptr_t)rule.word.at;
        if (!lt_walk_read(w, w->cfa_slot, cfa))
            return false;
        *cfa += (uintptr_t)(intptr_t)rule.word.add;
    }
    return true;
}

static inline bool lt_walk_fp(struct lt_walk *w, struct lt_rule rule, uintptr_t cfa, uintptr_t *fp) {
    w->fp_slot = 0;
    *fp = w->fp;
    if (!(rule.flags & (LT_RULE_FP_AT_CFA | LT_RULE_FP_AT_FP)))
        return true;
    w->fp_slot = (rule.flags & LT_RULE_FP_AT_CFA ? cfa : w->fp) + (uintptr_t)(intptr_t)rule.fp_offset;
    return lt_walk_read(w, w->fp_slot, fp);
}

static inline enum lt_step lt_walk_to(struct lt_walk *w, uintptr_t ip, uintptr_t sp, uintptr_t fp) {
    w->ip = ip;
    w->sp = sp;
    w->fp = fp;
    return lt_likely(ip) ? LT_STEP_ON : LT_STEP_END;
}

/* Nearly all frames there are. */
static inline bool lt_walk_is_common(struct lt_rule rule) {
    return rule.class >= LT_RULE_SP && rule.class <= LT_RULE_ALIGNED;
}

static inline enum lt_step lt_walk_step(struct lt_walk *w, struct lt_rule rule) {
    uintptr_t cfa, ip, fp;
    if (!lt_walk_cfa(w, rule, &cfa) || cfa <= w->sp || !lt_walk_read(w, cfa - sizeof ip, &ip) ||
        !lt_walk_fp(w, rule, cfa, &fp))
        return LT_STEP_LOST;
    return lt_walk_to(w, ip, cfa, fp);
}

/* The frame that a signal interrupted: its rule is another one, and there registers are known that are lost elsewhere.
 */
struct lt_interrupted {
    bool here; /* the walk is at that frame */
    uintptr_t rdi;
};

/* A step by any rule. Over a signal frame it leads to an interrupted one, perhaps on another stack: w->range is that
 * one's then. */
enum lt_step lt_walk_step_any(struct lt_walk *w, struct lt_rule rule, struct lt_interrupted *,
                              struct lt_unwind_state *);

/* Whether a step by this rule depends on fp (apart from handing it on). */
static inline bool lt_rule_uses_fp(struct lt_rule rule) {
    return rule.class == LT_RULE_FP || rule.class == LT_RULE_FRAME_POINTER || (rule.flags & LT_RULE_FP_AT_FP) ||
           (rule.class == LT_RULE_ALIGNED && !(rule.flags & LT_RULE_BASE_SP));
}

#endif
