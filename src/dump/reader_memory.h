/* Memory of a parsed dump: many small pieces that die together (names, age rows, segments), and the growth of arrays.
 * The caller bounds what it asks for by the bytes of the file, so that memory stays proportional to the file's size. */
#ifndef LT_DUMP_READER_MEMORY_H
#define LT_DUMP_READER_MEMORY_H

#include "base/status.h"

#include <stddef.h>

struct lt_dump_memory;

/* `size` bytes (not cleared) aligned to 8, or NULL. *memory is NULL before the first call. */
void *lt_dump_alloc(struct lt_dump_memory **memory, size_t size);

/* Frees every piece; NULL is fine. */
void lt_dump_memory_free(struct lt_dump_memory *);

/* Makes room for `count` items in the malloc'd array `*items` (void ** in disguise) whose room is *capacity; grows at
 * least by half, so that a long run of small growths stays linear. 0, or -ENOMEM with the array as it was. */
LT_STATUS lt_dump_grow(void *items, size_t *capacity, size_t count, size_t item_size);

#endif
