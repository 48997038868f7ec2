#include "report/pool.h"

#include "report/message.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { CHUNK_SIZE = 1 << 16 };

struct lt_pool_chunk {
    struct lt_pool_chunk *next;
    size_t capacity;
    alignas(max_align_t) unsigned char bytes[];
};

static size_t product(size_t count, size_t size) {
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes) || bytes > PTRDIFF_MAX)
        lt_die_of_memory();
    return bytes;
}

static void add_chunk(struct lt_pool *pool, size_t bytes) {
    size_t capacity = bytes > CHUNK_SIZE ? bytes : CHUNK_SIZE;
    struct lt_pool_chunk *chunk = calloc(1, sizeof *chunk + capacity);
    if (!chunk)
        lt_die_of_memory();
    chunk->next = pool->chunks;
    chunk->capacity = capacity;
    pool->chunks = chunk;
    pool->used = 0;
}

void *lt_pool_alloc(struct lt_pool *pool, size_t count, size_t size) {
    size_t bytes = product(count, size);
    bytes = (bytes + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
    if (!pool->chunks || pool->chunks->capacity - pool->used < bytes)
        add_chunk(pool, bytes);
    void *result = pool->chunks->bytes + pool->used;
    pool->used += bytes;
    return result;
}

char *lt_pool_format(struct lt_pool *pool, const char *format, ...) {
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    size_t size = length < 0 ? 1 : (size_t)length + 1;
    char *text = lt_pool_alloc(pool, size, 1);
    if (length >= 0)
        vsnprintf(text, size, format, again);
    va_end(again);
    return text;
}

void lt_pool_free(struct lt_pool *pool) {
    while (pool->chunks) {
        struct lt_pool_chunk *next = pool->chunks->next;
        free(pool->chunks);
        pool->chunks = next;
    }
    pool->used = 0;
}

void *lt_grow(void *array, size_t *capacity, size_t needed, size_t size) {
    if (needed <= *capacity)
        return array;
    size_t grown = *capacity * 2 > needed ? *capacity * 2 : needed;
    void *moved = realloc(array, product(grown ? grown : 1, size));
    if (!moved)
        lt_die_of_memory();
    *capacity = grown;
    return moved;
}
