/* Rules by address: the cache in front, the compiler behind it. */
#ifndef LT_UNWIND_RULE_COMPILE_H
#define LT_UNWIND_RULE_COMPILE_H

#include "unwind/rule_cache.h"
#include "unwind/stack_bounds.h"

/* Compiles the rule of `ip` and adds it to the cache. Looks the module up (modules.h), reads its unwind table, and, for
 * an address that belongs to no module, asks the kernel whether there is code. About a microsecond; never faults. */
struct lt_rule lt_rule_compile(uintptr_t ip, bool interrupted, struct lt_scratch *);

static LT_ALWAYS_INLINE struct lt_rule lt_rule_at(uintptr_t ip, bool interrupted, struct lt_scratch *scratch) {
    struct lt_rule rule;
    if (lt_likely(lt_rule_cache_find(ip, interrupted, &rule)))
        return rule;
    return lt_rule_compile(ip, interrupted, scratch);
}

/* Rules compiled so far, and how many of them are of no use. */
void lt_rule_compile_counts(uint64_t *compiled, uint64_t *none);

#endif
