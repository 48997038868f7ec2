/* Ranges that go away are published in a ring; a thread that lags by more than a ring forgets everything it knows. A
 * slot's number is written last: a reader that finds another number there has been overtaken. */
#include "unwind/stack_bounds.h"

#include "base/attrs.h"
#include "os/memory.h"
#include "os/proc.h"
#include "unwind/arch_native.h"

#include <stdatomic.h>

enum { RING = 64 };

extern void *__libc_stack_end; /* of the loader: where the kernel put argc */

static struct {
    _Atomic uint32_t number; /* of the range in this slot, from 1 */
    _Atomic uintptr_t start, end;
} ring[RING];
static _Atomic uint32_t gone; /* ranges published so far */
static _Atomic uint64_t lookups;

uint64_t lt_stack_bounds_lookups(void) {
    return atomic_load_explicit(&lookups, memory_order_relaxed);
}

void lt_stack_bounds_forget(struct lt_stack_bounds *bounds) {
    *bounds = (struct lt_stack_bounds){.gone_seen = atomic_load(&gone)};
}

void lt_stack_bounds_gone(uintptr_t start, uintptr_t end) {
    uint32_t number = atomic_fetch_add(&gone, 1) + 1, slot = number % RING;
    atomic_store(&ring[slot].number, 0);
    atomic_store(&ring[slot].start, start);
    atomic_store(&ring[slot].end, end);
    atomic_store(&ring[slot].number, number);
}

static void forget_overlapping(struct lt_stack_bounds *bounds, uintptr_t start, uintptr_t end) {
    for (unsigned i = 0; i < LT_STACK_RANGES; i++)
        if (bounds->ranges[i].low < end && start < bounds->ranges[i].high)
            bounds->ranges[i] = (struct lt_stack_range){0, 0};
}

/* Takes note of the range number `number`; false where that is not there (any more, or yet). */
static bool note_gone(struct lt_stack_bounds *bounds, uint32_t number) {
    uint32_t slot = number % RING;
    if (atomic_load(&ring[slot].number) != number)
        return false;
    uintptr_t start = atomic_load(&ring[slot].start), end = atomic_load(&ring[slot].end);
    forget_overlapping(bounds, start, end);
    return atomic_load(&ring[slot].number) == number;
}

static LT_COLD void catch_up(struct lt_stack_bounds *bounds, uint32_t now) {
    while (bounds->gone_seen != now)
        if (!note_gone(bounds, ++bounds->gone_seen)) {
            *bounds = (struct lt_stack_bounds){.gone_seen = now};
            break;
        }
}

static void cap(struct lt_stack_range *range, uintptr_t sp, uintptr_t top) {
    if (sp < top && top < range->high)
        range->high = top;
}

static bool look_up(uintptr_t sp, struct lt_scratch *scratch, struct lt_stack_range *range) {
    struct lt_map map;
    if (lt_proc_map_at(sp, &map, scratch->bytes, sizeof scratch->bytes) != 0 || !map.readable)
        return false;
    *range = (struct lt_stack_range){map.start, map.end};
    return true;
}

static void keep(struct lt_stack_bounds *bounds, struct lt_stack_range range) {
    forget_overlapping(bounds, range.low, range.high);
    bounds->ranges[bounds->next++ % LT_STACK_RANGES] = range;
}

static LT_COLD bool find(struct lt_stack_bounds *bounds, uintptr_t sp, struct lt_scratch *scratch,
                         struct lt_stack_range *range) {
    atomic_fetch_add_explicit(&lookups, 1, memory_order_relaxed);
    if (!look_up(sp, scratch, range))
        return false;
    cap(range, sp, (uintptr_t)__libc_stack_end);
    cap(range, sp, lt_thread_pointer());
    keep(bounds, *range);
    return true;
}

bool lt_stack_bounds_at(struct lt_stack_bounds *bounds, uintptr_t sp, struct lt_scratch *scratch,
                        struct lt_stack_range *range) {
    uint32_t now = atomic_load_explicit(&gone, memory_order_acquire);
    if (lt_unlikely(now != bounds->gone_seen))
        catch_up(bounds, now);
    for (unsigned i = 0; i < LT_STACK_RANGES; i++) {
        *range = bounds->ranges[i];
        if (lt_likely(sp - range->low < range->high - range->low))
            return true;
    }
    return find(bounds, sp, scratch, range);
}
