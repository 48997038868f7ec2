#include "track/scratch.h"

#include "base/attrs.h"
#include "os/memory.h"

enum { FIRST_BYTES = 64 * 1024 };

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

void lt_vector_free(struct lt_vector *vector) {
    lt_pages_free(vector->items, vector->capacity * vector->item_size);
    lt_vector_init(vector, vector->item_size);
}
