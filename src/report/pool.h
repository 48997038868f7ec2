/* Memory that is freed all at once. The report is a program that runs once: where memory runs out it says so and exits
 * with LEAKTRACK_EXIT_UNREADABLE, so nothing here returns NULL. */
#ifndef LT_REPORT_POOL_H
#define LT_REPORT_POOL_H

#include <stdarg.h>
#include <stddef.h>

struct lt_pool_chunk;

struct lt_pool {
    struct lt_pool_chunk *chunks; /* newest first; a zeroed struct lt_pool is an empty pool */
    size_t used;                  /* of the newest chunk */
};

/* `count` × `size` zeroed bytes, aligned for any object, alive until lt_pool_free. */
void *lt_pool_alloc(struct lt_pool *, size_t count, size_t size);

/* A NUL-terminated copy, alive until lt_pool_free. */
char *lt_pool_format(struct lt_pool *, const char *format, ...) __attribute__((format(printf, 2, 3)));

void lt_pool_free(struct lt_pool *);

/* An array that grows: returns room for at least `needed` elements of `size` bytes, moving the old ones; `*capacity` is
 * updated. To be freed with free(). */
void *lt_grow(void *array, size_t *capacity, size_t needed, size_t size);

#endif
