#include "track/keyed.h"

#include "base/hash.h"
#include "os/arena.h"

#include <string.h>

static struct lt_keyed_record *record_at(uint32_t ref) {
    return lt_arena_at(ref);
}

static void set(uint32_t *link, const struct lt_keyed_record *record) {
    __atomic_store_n(link, lt_arena_ref(record), __ATOMIC_RELEASE);
}

static uint32_t *chain_of(struct lt_keyed *table, uint64_t key) {
    return &table->chains[lt_hash_mix(key) % LT_KEYED_CHAINS];
}

/* Chunk 0 and 1 have LT_KEYED_FIRST_CHUNK records, chunk n as many as all before it. */
static unsigned chunk_of(uint32_t i) {
    return i < LT_KEYED_FIRST_CHUNK ? 0 : 32 - (unsigned)__builtin_clz(i / LT_KEYED_FIRST_CHUNK);
}

static uint32_t first_of(unsigned chunk) {
    return chunk == 0 ? 0 : (uint32_t)LT_KEYED_FIRST_CHUNK << (chunk - 1);
}

void *lt_keyed_at(const struct lt_keyed *table, uint32_t i) {
    if (i >= table->capacity)
        return NULL;
    const unsigned chunk = chunk_of(i);
    char *records = lt_arena_at(table->chunks[chunk]);
    return records + (size_t)(i - first_of(chunk)) * table->record_size;
}

void *lt_keyed_used(const struct lt_keyed *table, uint32_t *i) {
    for (struct lt_keyed_record *record; (record = lt_keyed_at(table, *i)); ++*i)
        if (record->generation & 1)
            return record;
    return NULL;
}

static void give_up(struct lt_keyed *table, struct lt_keyed_record *record) {
    record->next = table->unused;
    set(&table->unused, record);
}

static bool add_chunk(struct lt_keyed *table) {
    const uint32_t first = table->capacity, count = first ? first : LT_KEYED_FIRST_CHUNK;
    const unsigned chunk = chunk_of(first);
    if (chunk >= LT_KEYED_CHUNKS)
        return false;
    table->chunks[chunk] = lt_arena_ref(lt_arena_alloc((size_t)count * table->record_size, LT_ARENA_UNIT));
    if (!table->chunks[chunk])
        return false;
    table->capacity += count;
    for (uint32_t i = table->capacity; i-- > first;)
        give_up(table, lt_keyed_at(table, i));
    return true;
}

void *lt_keyed_new(struct lt_keyed *table) {
    if (!table->unused && !add_chunk(table))
        return NULL;
    struct lt_keyed_record *record = record_at(table->unused);
    set(&table->unused, record_at(record->next));
    const uint32_t generation = record->generation + 1;
    memset(record, 0, table->record_size);
    __atomic_store_n(&record->generation, generation, __ATOMIC_RELEASE);
    return record;
}

void lt_keyed_set_key(struct lt_keyed *table, struct lt_keyed_record *record, uint64_t key) {
    uint32_t *chain = chain_of(table, key);
    record->key = key;
    record->next = *chain;
    record->has_key = true;
    set(chain, record);
}

static struct lt_keyed_record *first_with_key(uint32_t ref, uint64_t key) {
    struct lt_keyed_record *record = record_at(ref);
    while (record && record->key != key)
        record = record_at(record->next);
    return record;
}

void *lt_keyed_find(const struct lt_keyed *table, uint64_t key) {
    return first_with_key(table->chains[lt_hash_mix(key) % LT_KEYED_CHAINS], key);
}

void *lt_keyed_next(const struct lt_keyed_record *record) {
    return first_with_key(record->next, record->key);
}

static void leave_chain(struct lt_keyed *table, struct lt_keyed_record *record) {
    const uint32_t ref = lt_arena_ref(record);
    for (uint32_t *link = chain_of(table, record->key); *link; link = &record_at(*link)->next)
        if (*link == ref) {
            set(link, record_at(record->next));
            return;
        }
}

void lt_keyed_free(struct lt_keyed *table, struct lt_keyed_record *record) {
    if (record->has_key)
        leave_chain(table, record);
    record->has_key = false;
    __atomic_store_n(&record->generation, record->generation + 1, __ATOMIC_RELEASE);
    give_up(table, record);
}
