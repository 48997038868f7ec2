#include "track/pool.h"

#include "base/attrs.h"
#include "os/arena.h"

#include <stdatomic.h>

/* Small first chunks keep thousands of little threads cheap; the last size bounds what an unfilled chunk wastes. */
enum { FIRST_CAPACITY = 32, LAST_CAPACITY = 1024 };

static struct lt_pool_chunk *chunk_at(uint32_t ref) {
    return lt_arena_at(ref);
}

static void *record_at(const struct lt_pool *pool, struct lt_pool_chunk *chunk, uint32_t index) {
    return (char *)chunk->records + (size_t)index * pool->record_size;
}

static LT_COLD struct lt_pool_chunk *add_chunk(struct lt_pool *pool, struct lt_pool_chunk *last, uint32_t epoch) {
    uint32_t capacity = FIRST_CAPACITY;
    if (last && last->epoch == epoch)
        capacity = last->capacity < LAST_CAPACITY ? last->capacity * 2 : LAST_CAPACITY;
    struct lt_pool_chunk *chunk = lt_arena_alloc(sizeof *chunk + (size_t)capacity * pool->record_size, LT_ARENA_UNIT);
    if (!chunk)
        return NULL;
    chunk->capacity = capacity;
    chunk->epoch = epoch;
    uint32_t ref = lt_arena_ref(chunk);
    pool->last = ref;
    atomic_store_explicit(last ? &last->next : &pool->first, ref, memory_order_release);
    return chunk;
}

void *lt_pool_room(struct lt_pool *pool, uint32_t epoch) {
    struct lt_pool_chunk *chunk = chunk_at(pool->last);
    uint32_t count = chunk ? atomic_load_explicit(&chunk->count, memory_order_relaxed) : 0;
    if (lt_unlikely(!chunk || count >= chunk->capacity || chunk->epoch != epoch)) {
        chunk = add_chunk(pool, chunk, epoch);
        count = 0;
    }
    return chunk ? record_at(pool, chunk, count) : NULL;
}

void lt_pool_publish(struct lt_pool *pool) {
    struct lt_pool_chunk *chunk = chunk_at(pool->last);
    if (lt_unlikely(!chunk))
        return; /* forgotten since lt_pool_room */
    uint32_t count = atomic_load_explicit(&chunk->count, memory_order_relaxed);
    atomic_store_explicit(&chunk->count, count + 1, memory_order_release);
}

void lt_pool_forget(struct lt_pool *pool) {
    atomic_store_explicit(&pool->first, 0, memory_order_relaxed);
    pool->last = 0;
}

void *lt_pool_next(const struct lt_pool *pool, struct lt_pool_cursor *cursor, uint32_t *epoch) {
    if (!cursor->chunk)
        cursor->chunk = atomic_load_explicit(&pool->first, memory_order_acquire);
    for (struct lt_pool_chunk *chunk; (chunk = chunk_at(cursor->chunk));) {
        /* `next` before `count`: a chunk that has a successor is not appended to any more. */
        uint32_t next = atomic_load_explicit(&chunk->next, memory_order_acquire);
        if (cursor->index < atomic_load_explicit(&chunk->count, memory_order_acquire)) {
            if (epoch)
                *epoch = chunk->epoch;
            return record_at(pool, chunk, cursor->index++);
        }
        if (!next)
            break;
        *cursor = (struct lt_pool_cursor){.chunk = next};
    }
    return NULL;
}

uint32_t lt_pool_count(const struct lt_pool *pool) {
    uint32_t count = 0, next = atomic_load_explicit(&pool->first, memory_order_acquire);
    for (struct lt_pool_chunk *chunk; (chunk = chunk_at(next));) {
        next = atomic_load_explicit(&chunk->next, memory_order_acquire);
        count += atomic_load_explicit(&chunk->count, memory_order_acquire);
    }
    return count;
}
