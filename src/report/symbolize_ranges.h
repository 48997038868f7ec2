/* Address ranges and which of them holds an address: the one search of the symbolizer, used for compilation units,
 * functions, symbols and code segments. Ranges may nest, repeat and overlap; the files they come from promise nothing.
 */
#ifndef LT_REPORT_SYMBOLIZE_RANGES_H
#define LT_REPORT_SYMBOLIZE_RANGES_H

#include "base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct lt_range {
    uint64_t start, end; /* half-open */
    uint64_t reach;      /* highest end among this range and those before it; set by the sort */
    uint32_t value;
};

struct lt_ranges { /* all zero is an empty one */
    struct lt_range *items;
    size_t count, capacity;
};

/* Makes room for `needed` items of `item_size` bytes in the array that *items points to. Returns 0 or -ENOMEM. */
LT_STATUS lt_array_reserve(void **items, size_t *capacity, size_t needed, size_t item_size);

/* Adds [start, end); an empty range is ignored. Returns 0 or -ENOMEM. Sort before the next find. */
LT_STATUS lt_ranges_add(struct lt_ranges *ranges, uint64_t start, uint64_t end, uint32_t value);
void lt_ranges_sort(struct lt_ranges *ranges);

/* The innermost range that holds `address`: the one that starts last, the shorter of two that start together, the lower
 * value of two equal ones. Returns NULL where there is none. O(log n), plus a bounded scan where ranges overlap. */
const struct lt_range *lt_ranges_find(const struct lt_ranges *ranges, uint64_t address);

void lt_ranges_free(struct lt_ranges *ranges);

#endif
