/* The rules of all return addresses seen so far. Lock-free, shared by all threads, in the arena.
 *
 * An entry is one 64-bit word, so that it can't tear:
 *
 *     63 .. 17  return address        16  interrupted        15 .. 0  number of the rule
 *
 * A few thousand different rules describe all code (clang: 61,000 return addresses, see docs/design/unwinding.md for
 * how many rules), so the words name rules in a second table whose entries are never changed. The words live in lines
 * of eight, one cache line; a key can only be in its own line. A line that is full makes the table grow. Entries are
 * dropped only when a module goes. */
#ifndef LT_UNWIND_RULE_CACHE_H
#define LT_UNWIND_RULE_CACHE_H

#include "base/attrs.h"
#include "base/status.h"
#include "unwind/arch_native.h"
#include "unwind/rule.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum { LT_RULE_LINE = 8 };

struct lt_rule_table {
    uint32_t shift; /* 64 - log2(number of words) */
    _Alignas(64) _Atomic uint64_t words[];
};

extern _Atomic(struct lt_rule_table *) lt_rule_table;
extern struct lt_rule *lt_rules;

LT_STATUS lt_rule_cache_init(void);

/* The number of times rules were dropped; see lt_rule_cache_add. */
uint32_t lt_rule_cache_generation(void);

/* Adds the rule of `ip`, compiled while the generation was `generation`: where rules have been dropped since then, it
 * is not kept. `ip` must fit LT_ADDRESS_BITS. */
void lt_rule_cache_add(uintptr_t ip, bool interrupted, struct lt_rule rule, uint32_t generation);

/* Drops the rules of all addresses in [start, end). Returns whether code of no module was among them. */
bool lt_rule_cache_drop(uintptr_t start, uintptr_t end);

/* A lock that a fork child may have inherited from a thread it does not have is freed. */
void lt_rule_cache_forked(void);

static LT_ALWAYS_INLINE uint64_t lt_rule_key(uintptr_t ip, bool interrupted) {
    return (uint64_t)ip << 17 | (uint64_t)interrupted << 16;
}

static LT_ALWAYS_INLINE uint64_t lt_rule_home(const struct lt_rule_table *table, uintptr_t ip) {
    return (ip * UINT64_C(0x9e3779b97f4a7c15)) >> table->shift;
}

static LT_ALWAYS_INLINE bool lt_rule_word_is(uint64_t word, uint64_t key) {
    return (word ^ key) <= UINT16_MAX;
}

/* The rule of `ip`, if it is known. */
static LT_ALWAYS_INLINE bool lt_rule_cache_find(uintptr_t ip, bool interrupted, struct lt_rule *rule) {
    const struct lt_rule_table *table = atomic_load_explicit(&lt_rule_table, memory_order_acquire);
    uint64_t key = lt_rule_key(ip, interrupted), home = lt_rule_home(table, ip);
    for (unsigned i = 0; i < LT_RULE_LINE; i++) {
        uint64_t word = atomic_load_explicit(&table->words[home ^ i], memory_order_acquire);
        if (lt_likely(lt_rule_word_is(word, key))) {
            *rule = lt_rules[(uint16_t)word];
            return true;
        }
    }
    return false;
}

#endif
