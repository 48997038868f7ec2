/* While C runs, the goroutine is in a system call as far as Go's scheduler knows, so its stack stays where it is and
 * may be read from its stack pointer up. Only a callback from C into Go may have moved it before: what C code saved of
 * the frame pointer points into the old stack then, which may be another goroutine's by now. Such a pointer mostly lies
 * outside the new stack; then it is computed: runtime.cgocall's frame has the same size in every call, learnt from the
 * first good one. */
#include "unwind/go_switch.h"

#include "base/attrs.h"

#include <elf.h>
#include <stdatomic.h>

#define STACK_MAX ((uintptr_t)1 << 30) /* of a goroutine: runtime.maxstacksize on 64-bit machines */

/* From the goroutine's stack pointer to the frame pointer of asmcgocall's caller (16 bits), below the return address
 * into it: nearly always runtime.cgocall. 0: none is known yet. Only before Go 1.21. */
static _Atomic uint64_t caller_frame;

/* `size` bytes at `address` are code that may be read. */
static bool is_readable_code(const struct lt_module *module, uintptr_t address, uintptr_t size) {
    const uint32_t wanted = PF_R | PF_X;
    return (lt_module_flags_at(module, address) & wanted) == wanted &&
           (lt_module_flags_at(module, address + size - 1) & wanted) == wanted;
}

bool lt_go_compile(const struct lt_module *module, uintptr_t ip, struct lt_rule *rule) {
    int16_t g, depth, size;
    if (!is_readable_code(module, ip, LT_GO_SWITCH_CODE_MAX))
        return false;
    if (lt_arch_go_switch((const uint8_t *)ip, &g, &depth))
        *rule = (struct lt_rule){.class = LT_RULE_GO_SWITCH, .word = {.at = g, .add = depth}};
    else if ((size = lt_arch_go_back((const uint8_t *)ip)) != 0)
        *rule = (struct lt_rule){.class = LT_RULE_GO_BACK, .word = {.at = size}};
    else
        return false;
    return true;
}

static bool holds(const struct lt_stack_range *range, uintptr_t address, uintptr_t size) {
    const uintptr_t offset = address - range->low;
    return offset < range->size && range->size - offset >= size;
}

/* Whether [low, high) may be read. Go's memory grows, and the known range with it. */
static bool is_readable(struct lt_unwind_state *state, uintptr_t low, uintptr_t high) {
    const struct lt_stack_range *range = lt_stack_bounds_at(&state->bounds, low, &state->scratch);
    if (lt_unlikely(range && !holds(range, low, high - low)))
        range = lt_stack_bounds_to(&state->bounds, low, high, &state->scratch);
    return range && holds(range, low, high - low);
}

/* The goroutine's stack from its stack pointer up. False where the words are not what they should be. */
static bool find_stack(const struct lt_walk *w, struct lt_rule rule, struct lt_unwind_state *state,
                       struct lt_stack_range *stack) {
    uintptr_t g, depth;
    if (!lt_walk_read(w, w->sp + (uintptr_t)rule.word.at, &g) ||
        !lt_walk_read(w, w->sp + (uintptr_t)rule.word.add, &depth) || g % sizeof g ||
        !is_readable(state, g, g + 2 * sizeof g))
        return false;
    const uintptr_t low = lt_load_word(g), high = lt_load_word(g + sizeof g);
    if (low >= high || high - low > STACK_MAX || high % sizeof high || depth % sizeof depth || depth > high - low ||
        depth < 4 * sizeof depth || !is_readable(state, high - depth, high))
        return false;
    *stack = (struct lt_stack_range){.low = high - depth, .size = depth, .own = true};
    return true;
}

/* The frame pointer of asmcgocall's caller, to which `ip` leads back; 0 where nothing is known of it. */
static uintptr_t frame_of_caller(const struct lt_stack_range *stack, uintptr_t ip, uintptr_t fp) {
    const uint64_t known = atomic_load_explicit(&caller_frame, memory_order_relaxed);
    const uint64_t seen = (uint64_t)ip << 16 | (fp - stack->low);
    if (!holds(stack, fp, 2 * sizeof fp))
        return known >> 16 == ip ? stack->low + (uint16_t)known : 0;
    if (lt_unlikely(known != seen) && fp - stack->low <= UINT16_MAX)
        atomic_store_explicit(&caller_frame, seen, memory_order_relaxed);
    return fp;
}

enum lt_step lt_go_switch_step(struct lt_walk *w, struct lt_rule rule, struct lt_unwind_state *state) {
    struct lt_stack_range stack;
    if (!find_stack(w, rule, state, &stack))
        return LT_STEP_LOST;
    uintptr_t at = stack.low, fp = lt_load_word(at);
    if (holds(&stack, fp, 2 * sizeof fp)) /* asmcgocall's own frame */
        at += sizeof at;
    else
        fp = frame_of_caller(&stack, lt_load_word(at), w->fp);
    if (fp <= at)
        return LT_STEP_LOST;
    state->go_system.sp = w->sp;
    state->go_system.range = w->range;
    w->range = stack;
    w->fp_slot = w->cfa_slot = 0;
    return lt_walk_to(w, lt_load_word(at), at + sizeof at, fp);
}

/* Whether the word at `address` is a return address into crosscall2. */
static bool is_call_from_c(uintptr_t address, uintptr_t *ip) {
    *ip = lt_load_word(address);
    const struct lt_module *module = lt_module_learn(*ip);
    return module && module->is_go && is_readable_code(module, *ip, LT_GO_SWITCH_CODE_MAX) &&
           lt_arch_is_crosscall((const uint8_t *)*ip);
}

enum lt_step lt_go_back_step(struct lt_walk *w, struct lt_rule rule, struct lt_unwind_state *state) {
    static const uint8_t gaps[] = LT_GO_SYSTEM_GAPS;
    const uintptr_t size = (uintptr_t)rule.word.at;
    for (unsigned i = 0; state->go_system.sp && i < sizeof gaps; i++) {
        const uintptr_t at = state->go_system.sp + gaps[i];
        uintptr_t ip;
        if (!holds(&state->go_system.range, at, size + sizeof ip) || !is_call_from_c(at + size, &ip))
            continue;
        w->range = state->go_system.range;
        w->fp_slot = w->cfa_slot = 0;
        return lt_walk_to(w, ip, at + size + sizeof ip, lt_load_word(at + size - sizeof ip));
    }
    return LT_STEP_LOST;
}
