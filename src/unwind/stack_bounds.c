/* Ranges that go away are published in a ring; a thread that lags by more than a ring forgets everything it knows. A
 * slot's number is written last: a reader that finds another number there has been overtaken. */
#include "unwind/stack_bounds.h"

#include "base/attrs.h"
#include "os/memory.h"
#include "os/proc.h"
#include "unwind/arch_native.h"

#include <stdatomic.h>

enum {
    RING = 64,
    PROBES = 64, /* about what a look at /proc costs */
    PROBES_WITHOUT_PROC = 4096,
};

#define END_OF_USER_SPACE ((uintptr_t)1 << LT_ADDRESS_BITS)

extern void *__libc_stack_end; /* of the loader: where the kernel put argc */

static struct {
    _Atomic uint32_t number; /* of the range in this slot, from 1 */
    _Atomic uintptr_t start, end;
} ring[RING];
LT_HOT_DATA _Atomic uint32_t lt_stack_ranges_gone;
static _Atomic uint64_t lookups;
static uintptr_t main_pointer; /* the main thread's, 0: not told */

void lt_stack_bounds_init(void) {
    main_pointer = lt_thread_pointer();
}

uint64_t lt_stack_bounds_lookups(void) {
    return atomic_load_explicit(&lookups, memory_order_relaxed);
}

void lt_stack_bounds_forget(struct lt_stack_bounds *bounds) {
    *bounds = (struct lt_stack_bounds){.gone_seen = atomic_load(&lt_stack_ranges_gone)};
}

void lt_stack_bounds_gone(uintptr_t start, uintptr_t end) {
    uint32_t number = atomic_fetch_add(&lt_stack_ranges_gone, 1) + 1, slot = number % RING;
    atomic_store(&ring[slot].number, 0);
    atomic_store(&ring[slot].start, start);
    atomic_store(&ring[slot].end, end);
    atomic_store(&ring[slot].number, number);
}

static bool forget_overlapping(struct lt_stack_bounds *bounds, uintptr_t start, uintptr_t end) {
    bool any = false;
    for (unsigned i = 0; i < LT_STACK_RANGES; i++) {
        struct lt_stack_range *range = &bounds->ranges[i];
        if (range->size && range->low < end && start < range->low + range->size) {
            range->size = 0;
            any = true;
        }
    }
    return any;
}

/* Takes note of the range number `number`; false where that is not there (any more, or yet). */
static bool note_gone(struct lt_stack_bounds *bounds, uint32_t number, bool *any) {
    uint32_t slot = number % RING;
    if (atomic_load(&ring[slot].number) != number)
        return false;
    uintptr_t start = atomic_load(&ring[slot].start), end = atomic_load(&ring[slot].end);
    *any |= forget_overlapping(bounds, start, end);
    return atomic_load(&ring[slot].number) == number;
}

LT_COLD bool lt_stack_bounds_catch_up(struct lt_stack_bounds *bounds, uint32_t now) {
    bool any = false;
    for (; bounds->gone_seen != now; bounds->gone_seen++)
        if (!note_gone(bounds, bounds->gone_seen + 1, &any)) {
            *bounds = (struct lt_stack_bounds){.gone_seen = now};
            return true;
        }
    return any;
}

/* The nearest of the two known tops above sp, or the end of user space. */
static uintptr_t top_above(uintptr_t sp) {
    uintptr_t end = (uintptr_t)__libc_stack_end, pointer = lt_thread_pointer();
    if (pointer != main_pointer && pointer > sp && (end <= sp || pointer < end))
        return pointer;
    return end > sp ? end : END_OF_USER_SPACE;
}

/* The end of the known range that begins at `low`, or `low` itself. */
static uintptr_t known_end(const struct lt_stack_bounds *bounds, uintptr_t low) {
    for (unsigned i = 0; i < LT_STACK_RANGES; i++)
        if (bounds->ranges[i].low == low)
            return low + bounds->ranges[i].size;
    return low;
}

static struct lt_stack_range range_of(uintptr_t low, uintptr_t high, bool own) {
    return (struct lt_stack_range){low, high - low, own};
}

/* Goes up page by page while the kernel can read, at most to `top`; known ranges are not probed again. Stops below
 * `top` where it meets something unreadable, or after `most` probes: then *whole is false. */
static struct lt_stack_range probe(const struct lt_stack_bounds *bounds, uintptr_t sp, uintptr_t top, unsigned most,
                                   bool *whole) {
    uintptr_t low = sp & ~(uintptr_t)(LT_PAGE - 1), high = known_end(bounds, low + LT_PAGE);
    while (high < top && most-- > 0 && lt_memory_readable(high))
        high = known_end(bounds, high + LT_PAGE);
    *whole = high >= top;
    return range_of(low, *whole ? top : high, *whole && top != END_OF_USER_SPACE);
}

static struct lt_stack_range look_up(const struct lt_stack_bounds *bounds, uintptr_t sp, struct lt_scratch *scratch) {
    uintptr_t top = top_above(sp);
    bool whole;
    struct lt_map map;
    struct lt_stack_range range = probe(bounds, sp, top, PROBES, &whole);
    if (whole)
        return range;
    if (lt_proc_map_at(sp, &map, scratch->bytes, sizeof scratch->bytes) != 0 || !map.readable)
        return probe(bounds, sp, top, PROBES_WITHOUT_PROC, &whole);
    return range_of(map.start, top < map.end ? top : map.end, top < map.end);
}

static void keep(struct lt_stack_bounds *bounds, struct lt_stack_range range) {
    forget_overlapping(bounds, range.low, range.low + range.size);
    uint32_t place = bounds->next++ % LT_STACK_RANGES;
    struct lt_stack_range *kept = &bounds->ranges[place];
    kept->size = 0;
    atomic_signal_fence(memory_order_seq_cst);
    kept->low = range.low;
    kept->own = range.own;
    atomic_signal_fence(memory_order_seq_cst);
    kept->size = range.size;
    bounds->last = place;
}

static LT_COLD bool ask(struct lt_stack_bounds *bounds, uintptr_t sp, struct lt_scratch *scratch) {
    atomic_fetch_add_explicit(&lookups, 1, memory_order_relaxed);
    if (!lt_memory_readable(sp))
        return false;
    keep(bounds, look_up(bounds, sp, scratch));
    return true;
}

LT_NOINLINE const struct lt_stack_range *lt_stack_bounds_find(struct lt_stack_bounds *bounds, uintptr_t sp,
                                                              struct lt_scratch *scratch) {
    for (uint32_t i = 0; i < LT_STACK_RANGES; i++)
        if (sp - bounds->ranges[i].low < bounds->ranges[i].size) {
            bounds->last = i;
            return &bounds->ranges[i];
        }
    return ask(bounds, sp, scratch) ? &bounds->ranges[bounds->last] : NULL;
}

LT_COLD const struct lt_stack_range *lt_stack_bounds_to(struct lt_stack_bounds *bounds, uintptr_t low, uintptr_t high,
                                                        struct lt_scratch *scratch) {
    if (!ask(bounds, low, scratch))
        return NULL;
    struct lt_stack_range *range = &bounds->ranges[bounds->last];
    uintptr_t end = range->low + range->size;
    if (end < high && high - end <= PROBES * LT_PAGE) {
        while (end < high && lt_memory_readable(end))
            end += LT_PAGE;
        range->size = end - range->low;
    }
    return range;
}

bool lt_stack_range_has(const struct lt_stack_range *range, uintptr_t sp, uintptr_t address) {
    const uintptr_t offset = address - range->low;
    if (offset >= range->size || range->size - offset < sizeof(uintptr_t))
        return false;
    return range->own || (address ^ (sp - 1)) < LT_PAGE || lt_memory_readable(address);
}
