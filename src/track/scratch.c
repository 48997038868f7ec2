#include "track/scratch.h"

#include "base/attrs.h"
#include "os/memory.h"

#include <string.h>

enum { FIRST_BYTES = 64 * 1024, SORTED_MAX = 64 };

void lt_vector_init(struct lt_vector *vector, size_t item_size) {
    *vector = (struct lt_vector){.item_size = item_size};
}

/* Fresh pages are zero, and items are never taken out, so what lies above `count` always is. */
static LT_COLD bool grow(struct lt_vector *vector, uint32_t count) {
    uint64_t old_size = vector->capacity * vector->item_size, size = old_size ? old_size * 2 : FIRST_BYTES;
    while (size < count * vector->item_size)
        size *= 2;
    if (size / vector->item_size > UINT32_MAX)
        return false;
    void *items = vector->items ? lt_pages_resize(vector->items, old_size, size) : lt_pages_new(size);
    if (!items)
        return false;
    vector->items = items;
    vector->capacity = (uint32_t)(size / vector->item_size);
    return true;
}

void *lt_vector_add(struct lt_vector *vector) {
    if (lt_unlikely(vector->count == vector->capacity) &&
        (vector->count == UINT32_MAX || !grow(vector, vector->count + 1)))
        return NULL;
    return lt_vector_at(vector, vector->count++);
}

bool lt_vector_resize(struct lt_vector *vector, uint32_t count) {
    if (count > vector->capacity && !grow(vector, count))
        return false;
    vector->count = count;
    return true;
}

bool lt_vector_reserve(struct lt_vector *vector, uint32_t capacity) {
    if (capacity <= vector->capacity)
        return true;
    if (!grow(vector, capacity))
        return false;
    lt_pages_keep_small(vector->items, vector->capacity * vector->item_size);
    return true;
}

static uint64_t key_at(const struct lt_vector *vector, uint32_t i) {
    uint64_t key;
    memcpy(&key, lt_vector_at(vector, i), sizeof key);
    return key;
}

static void swap(const struct lt_vector *vector, uint32_t a, uint32_t b) {
    char kept[SORTED_MAX];
    memcpy(kept, lt_vector_at(vector, a), vector->item_size);
    memcpy(lt_vector_at(vector, a), lt_vector_at(vector, b), vector->item_size);
    memcpy(lt_vector_at(vector, b), kept, vector->item_size);
}

/* Lets item `i` of a heap of `count` sink to its place. */
static void sink(const struct lt_vector *vector, uint64_t i, uint64_t count) {
    for (uint64_t child; (child = 2 * i + 1) < count; i = child) {
        if (child + 1 < count && key_at(vector, (uint32_t)child + 1) > key_at(vector, (uint32_t)child))
            child++;
        if (key_at(vector, (uint32_t)child) <= key_at(vector, (uint32_t)i))
            return;
        swap(vector, (uint32_t)i, (uint32_t)child);
    }
}

void lt_vector_sort(struct lt_vector *vector) {
    for (uint32_t i = vector->count / 2; i-- > 0;)
        sink(vector, i, vector->count);
    for (uint32_t end = vector->count; end > 1; end--) {
        swap(vector, 0, end - 1);
        sink(vector, 0, end - 1);
    }
}

void lt_vector_free(struct lt_vector *vector) {
    lt_pages_free(vector->items, vector->capacity * vector->item_size);
    lt_vector_init(vector, vector->item_size);
}
