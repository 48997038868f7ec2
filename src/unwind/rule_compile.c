#include "unwind/rule_compile.h"

#include "unwind/cfi.h"
#include "unwind/code_ranges.h"
#include "unwind/go_switch.h"
#include "unwind/modules.h"

#include <elf.h>
#include <string.h>

static _Atomic uint64_t compiled, none;

/* Code without unwind information that is a signal trampoline: C libraries other than glibc, the Go runtime. */
static bool is_trampoline(const struct lt_module *module, uintptr_t ip) {
    return (lt_module_flags_at(module, ip) & PF_R) &&
           (lt_module_flags_at(module, ip + LT_SIGNAL_TRAMPOLINE_SIZE - 1) & PF_R) &&
           memcmp((const void *)ip, LT_SIGNAL_TRAMPOLINE, LT_SIGNAL_TRAMPOLINE_SIZE) == 0;
}

static struct lt_rule rule_without_cfi(const struct lt_module *module, uintptr_t ip) {
    struct lt_rule rule;
    if (is_trampoline(module, ip))
        return (struct lt_rule){.class = LT_RULE_SIGNAL};
    if (module->is_go && lt_go_compile(module, ip, &rule))
        return rule;
    return (struct lt_rule){.class = LT_RULE_FRAME_POINTER};
}

static struct lt_rule rule_in_module(const struct lt_module *module, uintptr_t ip, bool interrupted) {
    struct lt_rule rule;
    struct lt_cfi_image image = {module->eh_frame_hdr, module->bias, module->segments, module->segment_count};
    if (!(lt_module_flags_at(module, interrupted ? ip : ip - 1) & PF_X))
        return (struct lt_rule){.class = LT_RULE_NOT_CODE};
    if (!module->eh_frame_hdr || !lt_cfi_compile(&image, ip, interrupted, &rule))
        rule = rule_without_cfi(module, ip);
    if (lt_module_is_loader(module))
        rule.flags |= LT_RULE_LOADER;
    return rule;
}

static struct lt_rule rule_outside_modules(uintptr_t pc, struct lt_scratch *scratch) {
    bool is_code = lt_code_ranges_hold(pc, scratch);
    return (struct lt_rule){.class = is_code ? LT_RULE_FRAME_POINTER : LT_RULE_NOT_CODE, .flags = LT_RULE_ANONYMOUS};
}

struct lt_rule lt_rule_compile(uintptr_t ip, bool interrupted, struct lt_scratch *scratch) {
    uintptr_t pc = interrupted ? ip : ip - 1;
    if (pc < LT_CODE_LOWEST || ip >> LT_ADDRESS_BITS)
        return (struct lt_rule){.class = LT_RULE_NOT_CODE};
    const struct lt_module *module = lt_module_learn(pc); /* may itself drop rules */
    uint32_t generation = lt_rule_cache_generation();
    struct lt_rule rule = module ? rule_in_module(module, ip, interrupted) : rule_outside_modules(pc, scratch);
    if (rule.class == LT_RULE_NOT_CODE) /* any word of a stack can be that: not kept, or they would fill the cache */
        return rule;
    atomic_fetch_add_explicit(&compiled, 1, memory_order_relaxed);
    if (rule.class == LT_RULE_NONE)
        atomic_fetch_add_explicit(&none, 1, memory_order_relaxed);
    lt_rule_cache_add(ip, interrupted, rule, generation);
    return rule;
}

void lt_rule_compile_counts(uint64_t *compiled_out, uint64_t *none_out) {
    *compiled_out = atomic_load_explicit(&compiled, memory_order_relaxed);
    *none_out = atomic_load_explicit(&none, memory_order_relaxed);
}
