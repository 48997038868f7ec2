/* Memory of one snapshot: a vector in pages of its own, given back to the kernel when the snapshot is done. */
#ifndef LT_TRACK_SCRATCH_H
#define LT_TRACK_SCRATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct lt_vector {
    void *items;
    size_t item_size;
    uint32_t count, capacity;
};

/* An empty vector of items of that size; takes no memory yet. */
void lt_vector_init(struct lt_vector *, size_t item_size);

/* Appends a zeroed item and returns it, or NULL when the kernel grants no memory (or 2^32 items are there). Pointers to
 * other items become invalid. */
void *lt_vector_add(struct lt_vector *);

/* Makes the vector `count` items long, new ones zeroed; false when the kernel grants no memory. */
bool lt_vector_resize(struct lt_vector *, uint32_t count);

/* Room for `capacity` items without a move; false when the kernel grants no memory. Pages that are never used cost
 * none. */
bool lt_vector_reserve(struct lt_vector *, uint32_t capacity);

/* Sorts the items, of at most 64 bytes, by the 64-bit number that each begins with. In place, without recursion. */
void lt_vector_sort(struct lt_vector *);

/* Gives the memory back; the vector is empty again. */
void lt_vector_free(struct lt_vector *);

static inline void *lt_vector_at(const struct lt_vector *vector, uint32_t index) {
    return (char *)vector->items + index * vector->item_size;
}

#endif
