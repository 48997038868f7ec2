#include "unwind/rule_cache.h"

#include "base/hash.h"
#include "os/arena.h"
#include "os/memory.h"

#include <errno.h>
#include <string.h>

enum {
    RULES_MAX = 1 << 14,
    RULE_SLOTS = 2 * RULES_MAX,
    FIRST_BITS = 11, /* 2048 words, 16 KiB */
    LAST_BITS = 21,
    PATIENCE = 1024,
};

_Atomic(struct lt_rule_table *) lt_rule_table;
LT_HOT_DATA _Atomic uint32_t lt_rule_generation;
struct lt_rule *lt_rules; /* number 0 is NONE */

static _Atomic uint32_t rule_count = 1;
static _Atomic uint16_t *rule_slots; /* hash table of numbers */
static _Atomic bool growing;

static struct lt_rule_table *table_new(unsigned bits) {
    const size_t size = sizeof(struct lt_rule_table) + ((size_t)1 << bits) * sizeof(uint64_t);
    struct lt_rule_table *table = size < LT_HUGE_PAGE ? lt_arena_alloc(size, 64) : lt_pages_new(size);
    if (!table)
        return NULL;
    lt_pages_want_huge(table, size);
    table->mask = ((uint64_t)1 << bits) - 1;
    return table;
}

int lt_rule_cache_init(void) {
    lt_rules = lt_arena_alloc(RULES_MAX * sizeof *lt_rules, 64);
    rule_slots = lt_arena_alloc(RULE_SLOTS * sizeof *rule_slots, 64);
    atomic_store(&lt_rule_table, table_new(FIRST_BITS));
    return lt_rules && rule_slots && atomic_load(&lt_rule_table) ? 0 : -ENOMEM;
}

static uint64_t bits_of(struct lt_rule rule) {
    uint64_t bits;
    memcpy(&bits, &rule, sizeof bits);
    return bits;
}

/* A number for a rule that has none yet; 0 when there are too many. */
static uint32_t number_rule(struct lt_rule rule) {
    uint32_t number = atomic_load(&rule_count);
    do {
        if (number == RULES_MAX)
            return 0;
    } while (!atomic_compare_exchange_weak(&rule_count, &number, number + 1));
    lt_rules[number] = rule;
    return number;
}

static uint32_t intern(struct lt_rule rule) {
    uint64_t bits = bits_of(rule);
    if (bits == 0)
        return 0;
    uint32_t number = 0;
    for (uint64_t i = lt_hash_mix(bits);; i++) {
        uint16_t found = atomic_load(&rule_slots[i % RULE_SLOTS]);
        if (found == 0) {
            if (number == 0 && (number = number_rule(rule)) == 0)
                return 0;
            if (atomic_compare_exchange_strong(&rule_slots[i % RULE_SLOTS], &found, (uint16_t)number))
                return number;
        }
        if (bits_of(lt_rules[found]) == bits)
            return found;
    }
}

static bool fits_packed(struct lt_rule rule) {
    bool slot = rule.flags == LT_RULE_FP_AT_CFA && rule.fp_offset < 0 && rule.fp_offset >= -8 * LT_PACKED_SLOT_MAX &&
                rule.fp_offset % 8 == 0;
    return (rule.class == LT_RULE_SP || rule.class == LT_RULE_FP) && (slot || rule.flags == 0) &&
           rule.cfa_offset >= 0 && rule.cfa_offset <= 8 * LT_PACKED_CFA_MAX && rule.cfa_offset % 8 == 0;
}

static uint64_t pack(struct lt_rule rule) {
    if (!fits_packed(rule))
        return LT_PACKED_INDIRECT | intern(rule);
    uint64_t slot = rule.flags ? (uint64_t)(-rule.fp_offset / 8) : 0;
    return (rule.class == LT_RULE_FP ? LT_PACKED_FP : 0) | slot << LT_PACKED_SLOT_SHIFT | (uint64_t)rule.cfa_offset / 8;
}

/* Puts the word into its line: over an older one for the same key, or where there is room. NULL where there is none. */
static _Atomic uint64_t *place(struct lt_rule_table *table, uint64_t word) {
    uint64_t home = lt_rule_home(table, word >> 17);
    for (unsigned i = 0; i < LT_RULE_LINE; i++) {
        _Atomic uint64_t *at = &table->words[home ^ i];
        uint64_t old = atomic_load(at);
        if ((old == 0 || lt_rule_word_is(old, word & ~(uint64_t)UINT16_MAX)) &&
            atomic_compare_exchange_strong(at, &old, word))
            return at;
    }
    return NULL;
}

LT_NOINLINE uint32_t lt_rule_cache_search(uintptr_t ip, bool interrupted) {
    const struct lt_rule_table *table = atomic_load_explicit(&lt_rule_table, memory_order_acquire);
    uint64_t key = lt_rule_key(ip, interrupted), home = lt_rule_home(table, ip);
    for (unsigned i = 0; i < LT_RULE_LINE; i++) {
        uint64_t word = atomic_load_explicit(&table->words[home ^ i], memory_order_acquire);
        if (lt_rule_word_is(word, key))
            return (uint16_t)word;
    }
    return LT_PACKED_UNKNOWN;
}

static bool copy_words(struct lt_rule_table *to, struct lt_rule_table *from) {
    for (uint64_t i = 0; i <= from->mask; i++) {
        uint64_t word = atomic_load(&from->words[i]);
        if (word && !place(to, word))
            return false;
    }
    return true;
}

/* Whether more than a third of the table is in use: then too many rules are not in the first place that is looked at.
 * Counted now and then, since rules also go. */
static bool is_crowded(struct lt_rule_table *table) {
    static _Atomic uint64_t added;
    if (atomic_fetch_add(&added, 1) < table->mask / 16)
        return false;
    atomic_store(&added, 0);
    uint64_t count = 0;
    for (uint64_t i = 0; i <= table->mask; i++)
        count += atomic_load_explicit(&table->words[i], memory_order_relaxed) != 0;
    return count > table->mask / 3;
}

static void clear(struct lt_rule_table *table) {
    for (uint64_t i = 0; i <= table->mask; i++)
        atomic_store(&table->words[i], 0);
}

/* Makes a table twice as large, or larger, until every line has room. What other threads add meanwhile is lost, and
 * will be compiled again. */
static void grow(struct lt_rule_table *old) {
    static _Atomic uint32_t waiting;
    if (atomic_exchange(&growing, true)) {
        /* unless the thread that grows it was jumped out of that by a signal handler */
        if (atomic_fetch_add(&waiting, 1) % PATIENCE == PATIENCE - 1)
            atomic_store(&growing, false);
        return;
    }
    uint32_t before = atomic_load(&lt_rule_generation);
    struct lt_rule_table *larger = NULL;
    unsigned bits = (unsigned)__builtin_popcountll(old->mask);
    if (atomic_load(&lt_rule_table) == old)
        do
            larger = bits < LAST_BITS ? table_new(++bits) : NULL;
        while (larger && !copy_words(larger, old));
    if (larger) {
        atomic_store(&lt_rule_table, larger);
        if (atomic_load(&lt_rule_generation) != before)
            clear(larger);
    }
    atomic_store(&growing, false);
}

void lt_rule_cache_add(uintptr_t ip, bool interrupted, struct lt_rule rule, uint32_t compiled_in) {
    uint64_t word = lt_rule_key(ip, interrupted) | pack(rule);
    struct lt_rule_table *table = atomic_load(&lt_rule_table);
    _Atomic uint64_t *at = place(table, word);
    if (!at || is_crowded(table)) {
        grow(table);
        table = atomic_load(&lt_rule_table);
        at = place(table, word);
    }
    if (!at) { /* as large as it gets: a newer rule is worth more than an old one */
        at = &table->words[lt_rule_home(table, ip)];
        atomic_store(at, word);
    }
    if (atomic_load(&lt_rule_generation) != compiled_in)
        atomic_compare_exchange_strong(at, &word, 0);
}

bool lt_rule_cache_drop(uintptr_t start, uintptr_t end) {
    bool anonymous = false;
    atomic_fetch_add(&lt_rule_generation, 1);
    struct lt_rule_table *table = atomic_load(&lt_rule_table);
    for (uint64_t i = 0; i <= table->mask; i++) {
        uint64_t word = atomic_load(&table->words[i]), ip = word >> 17;
        if (ip < start || ip >= end)
            continue;
        anonymous |= (lt_rule_unpack((uint16_t)word).flags & LT_RULE_ANONYMOUS) != 0;
        atomic_compare_exchange_strong(&table->words[i], &word, 0);
    }
    return anonymous;
}

void lt_rule_cache_forked(void) {
    atomic_store(&growing, false);
}
