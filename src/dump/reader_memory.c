#include "dump/reader_memory.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK = 64 << 10, ALIGN = 8 };

struct lt_dump_memory { /* a chunk; the first of the list is the one in use */
    struct lt_dump_memory *next;
    size_t used, size; /* of `bytes` */
    _Alignas(ALIGN) unsigned char bytes[];
};

/* A large piece gets a chunk of its own behind the first, whose rest stays in use. */
static struct lt_dump_memory *add_chunk(struct lt_dump_memory **memory, size_t size) {
    const bool own = *memory && size > CHUNK / 4;
    const size_t room = own || size > CHUNK ? size : CHUNK;
    struct lt_dump_memory *chunk = malloc(sizeof *chunk + room);
    if (!chunk)
        return NULL;
    struct lt_dump_memory **place = own ? &(*memory)->next : memory;
    *chunk = (struct lt_dump_memory){.next = *place, .size = room};
    *place = chunk;
    return chunk;
}

void *lt_dump_alloc(struct lt_dump_memory **memory, size_t size) {
    if (size > SIZE_MAX / 2)
        return NULL;
    size = (size + ALIGN - 1) & ~(size_t)(ALIGN - 1);
    struct lt_dump_memory *chunk = *memory;
    if (!chunk || chunk->size - chunk->used < size)
        chunk = add_chunk(memory, size);
    if (!chunk)
        return NULL;
    void *piece = chunk->bytes + chunk->used;
    chunk->used += size;
    return piece;
}

void lt_dump_memory_free(struct lt_dump_memory *memory) {
    while (memory) {
        struct lt_dump_memory *next = memory->next;
        free(memory);
        memory = next;
    }
}

int lt_dump_grow(void *items, size_t *capacity, size_t count, size_t item_size) {
    void *array;
    if (count <= *capacity)
        return 0;
    if (count < *capacity + *capacity / 2)
        count = *capacity + *capacity / 2;
    memcpy(&array, items, sizeof array); /* `items` points to a pointer of some type */
    size_t size;
    if (__builtin_mul_overflow(count, item_size, &size))
        return -ENOMEM;
    array = realloc(array, size);
    if (!array)
        return -ENOMEM;
    memcpy(items, &array, sizeof array);
    *capacity = count;
    return 0;
}
