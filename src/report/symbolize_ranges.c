/* A sorted array. Each item also knows how far any range up to it reaches, so that a search that looks back for an
 * enclosing range stops as soon as nothing before can hold the address. */
#include "report/symbolize_ranges.h"

#include <errno.h>
#include <stdlib.h>

/* Real files nest a handful deep; a file made to overlap everywhere must not make each search linear. */
enum { SCAN_MAX = 4096 };

LT_STATUS lt_array_reserve(void **items, size_t *capacity, size_t needed, size_t item_size) {
    if (needed <= *capacity)
        return 0;
    size_t wanted = *capacity ? *capacity * 2 : 16;
    while (wanted < needed)
        wanted *= 2;
    void *grown = reallocarray(*items, wanted, item_size);
    if (!grown)
        return -ENOMEM;
    *items = grown;
    *capacity = wanted;
    return 0;
}

LT_STATUS lt_ranges_add(struct lt_ranges *ranges, uint64_t start, uint64_t end, uint32_t value) {
    if (start >= end)
        return 0;
    if (lt_array_reserve((void **)&ranges->items, &ranges->capacity, ranges->count + 1, sizeof *ranges->items) != 0)
        return -ENOMEM;
    ranges->items[ranges->count++] = (struct lt_range){.start = start, .end = end, .value = value};
    return 0;
}

static int compare_ranges(const void *left, const void *right) {
    const struct lt_range *a = left, *b = right;
    if (a->start != b->start)
        return a->start < b->start ? -1 : 1;
    if (a->end != b->end)
        return a->end > b->end ? -1 : 1;
    return a->value > b->value ? -1 : a->value < b->value;
}

void lt_ranges_sort(struct lt_ranges *ranges) {
    if (ranges->count > 1)
        qsort(ranges->items, ranges->count, sizeof *ranges->items, compare_ranges);
    uint64_t reach = 0;
    for (size_t i = 0; i < ranges->count; i++) {
        if (ranges->items[i].end > reach)
            reach = ranges->items[i].end;
        ranges->items[i].reach = reach;
    }
}

/* How many ranges start at or below the address. */
static size_t count_started(const struct lt_ranges *ranges, uint64_t address) {
    size_t low = 0, high = ranges->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (ranges->items[middle].start <= address)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

const struct lt_range *lt_ranges_find(const struct lt_ranges *ranges, uint64_t address) {
    size_t started = count_started(ranges, address);
    for (size_t i = 0; i < SCAN_MAX && i < started; i++) {
        const struct lt_range *range = &ranges->items[started - 1 - i];
        if (address < range->end)
            return range;
        if (address >= range->reach)
            return NULL;
    }
    return NULL;
}

void lt_ranges_free(struct lt_ranges *ranges) {
    free(ranges->items);
    *ranges = (struct lt_ranges){0};
}
