/* The rules of all return addresses seen so far. Lock-free, shared by all threads, in the arena.
 *
 * An entry is one 64-bit word, so that it can't tear:
 *
 *     63 .. 17  return address     16  interrupted     15 .. 0  rule
 *
 * Nearly all rules fit the 16 bits: class SP or FP, the caller's fp in one of the seven words below the CFA or not
 * saved, a frame of at most 16 KiB. The others are numbers of entries of a second table that never changes: a few
 * thousand different rules describe all code. A step depends on the step before it through these loads, and through
 * little else, so one load less is a fifth of its time.
 *
 * The words live in lines of eight, one cache line; a key can only be in its own line. The table grows when a third of
 * it is in use, or a line is full. A line holds the call sites of 32 bytes of code, and what the hash brings to them:
 * that keeps the cache lines few. Entries are dropped only when their module goes. */
#ifndef LT_UNWIND_RULE_CACHE_H
#define LT_UNWIND_RULE_CACHE_H

#include "base/attrs.h"
#include "base/status.h"
#include "unwind/arch_native.h"
#include "unwind/rule.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum { LT_RULE_LINE = 8 };

struct lt_rule_table {
    uint64_t mask; /* number of words - 1 */
    _Alignas(64) _Atomic uint64_t words[];
};

extern _Atomic(struct lt_rule_table *) lt_rule_table;
extern struct lt_rule *lt_rules;
extern _Atomic uint32_t lt_rule_generation;

LT_STATUS lt_rule_cache_init(void);

/* The number of times rules were dropped; what was derived from rules in another generation may be stale. */
static LT_ALWAYS_INLINE uint32_t lt_rule_cache_generation(void) {
    return atomic_load_explicit(&lt_rule_generation, memory_order_acquire);
}

/* Adds the rule of `ip`, compiled while the generation was `generation`: where rules have been dropped since then, it
 * is not kept. `ip` must fit LT_ADDRESS_BITS. */
void lt_rule_cache_add(uintptr_t ip, bool interrupted, struct lt_rule rule, uint32_t generation);

/* Drops the rules of all addresses in [start, end). Returns whether code of no module was among them. */
bool lt_rule_cache_drop(uintptr_t start, uintptr_t end);

/* A lock that a fork child may have inherited from a thread it does not have is freed. */
void lt_rule_cache_forked(void);

/* The 16 bits of a rule. */
enum {
    LT_PACKED_INDIRECT = 1 << 15, /* the other 15 bits are a number of lt_rules */
    LT_PACKED_FP = 1 << 14,       /* class FP, else SP */
    LT_PACKED_SLOT_SHIFT = 11,    /* three bits: the caller's fp is at CFA - 8 * slot, 0: not saved */
    LT_PACKED_SLOT_MAX = 7,
    LT_PACKED_CFA_MAX = (1 << LT_PACKED_SLOT_SHIFT) - 1, /* eleven bits: the CFA's offset in words */
};

/* Of rules that are not indirect: the CFA's distance from rsp or rbp, and that of the caller's fp from the CFA. */
static LT_ALWAYS_INLINE uintptr_t lt_packed_cfa(uint32_t packed) {
    return (uintptr_t)(packed & LT_PACKED_CFA_MAX) * 8;
}

static LT_ALWAYS_INLINE bool lt_packed_saves_fp(uint32_t packed) {
    return (packed >> LT_PACKED_SLOT_SHIFT & LT_PACKED_SLOT_MAX) != 0;
}

static LT_ALWAYS_INLINE uintptr_t lt_packed_slot(uint32_t packed) {
    return (uintptr_t)(packed >> LT_PACKED_SLOT_SHIFT & LT_PACKED_SLOT_MAX) * 8;
}

static LT_ALWAYS_INLINE struct lt_rule lt_rule_unpack(uint32_t packed) {
    if (lt_unlikely(packed & LT_PACKED_INDIRECT))
        return lt_rules[packed & (LT_PACKED_INDIRECT - 1)];
    return (struct lt_rule){
        .class = packed & LT_PACKED_FP ? LT_RULE_FP : LT_RULE_SP,
        .flags = lt_packed_saves_fp(packed) ? LT_RULE_FP_AT_CFA : 0,
        .fp_offset = (int16_t)-lt_packed_slot(packed),
        .cfa_offset = (int32_t)lt_packed_cfa(packed),
    };
}

static LT_ALWAYS_INLINE uint64_t lt_rule_key(uintptr_t ip, bool interrupted) {
    return (uint64_t)ip << 17 | (uint64_t)interrupted << 16;
}

static LT_ALWAYS_INLINE uint64_t lt_rule_home(const struct lt_rule_table *table, uintptr_t ip) {
    const uint64_t place = ip / 4;
    return (place ^ place >> 11 ^ place >> 20) & table->mask;
}

static LT_ALWAYS_INLINE bool lt_rule_word_is(uint64_t word, uint64_t key) {
    return (word ^ key) <= UINT16_MAX;
}

enum { LT_PACKED_UNKNOWN = 1 << 16 };

/* The rule of `ip` as 16 bits, LT_PACKED_UNKNOWN where it is not known. Five of six are in the first place. */
uint32_t lt_rule_cache_search(uintptr_t ip, bool interrupted); /* in all of the line */
static LT_ALWAYS_INLINE uint32_t lt_rule_cache_packed(uintptr_t ip, bool interrupted) {
    const struct lt_rule_table *table = atomic_load_explicit(&lt_rule_table, memory_order_acquire);
    const uint64_t key = lt_rule_key(ip, interrupted), home = lt_rule_home(table, ip);
    uint64_t word = atomic_load_explicit(&table->words[home], memory_order_acquire);
    if (lt_likely(lt_rule_word_is(word, key)))
        return (uint16_t)word;
    word = atomic_load_explicit(&table->words[home ^ 1], memory_order_acquire);
    if (lt_likely(lt_rule_word_is(word, key)))
        return (uint16_t)word;
    return lt_rule_cache_search(ip, interrupted);
}

static LT_ALWAYS_INLINE bool lt_rule_cache_find(uintptr_t ip, bool interrupted, struct lt_rule *rule) {
    uint32_t packed = lt_rule_cache_packed(ip, interrupted);
    if (packed == LT_PACKED_UNKNOWN)
        return false;
    *rule = lt_rule_unpack(packed);
    return true;
}

#endif
