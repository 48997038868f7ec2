/* While C runs, the goroutine is in a system call as far as Go's scheduler knows, so its stack stays where it is and
 * may be read from its stack pointer up. Only a callback from C into Go may have moved it before: what C code saved of
 * the frame pointer points into the old stack then, which may be another goroutine's by now. So it is not used: up to
 * Go 1.20 it is that of asmcgocall's caller, whose frame has the same size in every call and whose code says it. */
#include "unwind/go_switch.h"

#include "base/attrs.h"

#include <elf.h>
#include <stdatomic.h>

#define STACK_MAX ((uintptr_t)1 << 30) /* of a goroutine: runtime.maxstacksize on 64-bit machines */

enum {
    CALLER_CODE = 192, /* of runtime.cgocall, from its call of asmcgocall to its end: 58 bytes in Go 1.19 */
    STUB_FRAMES = 1024 /* of C functions between asmcgocall and libc */
};

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
    else if (!module->eh_frame_hdr && !lt_arch_is_crosscall((const uint8_t *)ip))
        *rule = (struct lt_rule){.class = LT_RULE_FRAME_POINTER, .flags = LT_RULE_GO_LINKED};
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

/* What the code at `ip` says of its function's frame: its frame pointer, from the stack pointer that it returns to. */
static LT_NOINLINE uint16_t read_frame(uintptr_t ip) {
    const struct lt_module *module = lt_module_learn(ip);
    uintptr_t size = module ? module->end - ip : 0;
    size = size < CALLER_CODE ? size : CALLER_CODE;
    if (!module || !is_readable_code(module, ip, size))
        return 0;
    const uint16_t frame = lt_arch_go_frame((const uint8_t *)ip, size);
    if (frame)
        atomic_store_explicit(&caller_frame, (uint64_t)ip << 16 | frame, memory_order_relaxed);
    return frame;
}

/* The frame pointer of asmcgocall's caller, to which `ip` leads back. Where its code does not say, the one that C kept;
 * 0 where that is none. */
static uintptr_t frame_of_caller(const struct lt_stack_range *stack, uintptr_t ip, uintptr_t fp) {
    const uint64_t known = atomic_load_explicit(&caller_frame, memory_order_relaxed);
    const uint16_t frame = lt_likely(known >> 16 == ip) ? (uint16_t)known : read_frame(ip);
    if (lt_likely(frame))
        fp = stack->low + sizeof ip + frame;
    return holds(stack, fp, 2 * sizeof fp) ? fp : 0;
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

/* Whether `ip` is a return address into asmcgocall: its rule then, class NONE where that call stayed on the stack. */
static bool is_in_asmcgocall(const struct lt_module *module, uintptr_t ip, struct lt_rule *rule) {
    if (ip - module->start >= module->end - module->start || !is_readable_code(module, ip, LT_GO_SWITCH_CODE_MAX))
        return false;
    *rule = (struct lt_rule){.class = LT_RULE_NONE};
    return lt_arch_go_stay((const uint8_t *)ip) ||
           (lt_go_compile(module, ip, rule) && rule->class == LT_RULE_GO_SWITCH);
}

/* The first one is that of the call under way. */
bool lt_go_find_switch(struct lt_walk *w, struct lt_unwind_state *state) {
    const struct lt_module *module = state->go_system.sp ? NULL : lt_module_learn(w->ip);
    const uintptr_t left = w->range.low + w->range.size - w->sp;
    const uintptr_t end = w->sp + (left < STUB_FRAMES ? left : STUB_FRAMES);
    struct lt_walk there = {.fp = w->fp, .range = w->range};
    struct lt_stack_range stack;
    struct lt_rule rule;
    for (there.sp = w->sp; module && there.sp < end;) {
        there.ip = lt_load_word(there.sp);
        there.sp += sizeof there.ip;
        if (!is_in_asmcgocall(module, there.ip, &rule))
            continue;
        if (rule.class != LT_RULE_GO_SWITCH || !find_stack(&there, rule, state, &stack))
            break;
        *w = there;
        return true;
    }
    return false;
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
        state->go_system.sp = 0;
        w->fp_slot = w->cfa_slot = 0;
        return lt_walk_to(w, ip, at + size + sizeof ip, lt_load_word(at + size - sizeof ip));
    }
    return LT_STEP_LOST;
}
