/* A range is one 64-bit word, so that it can't tear: its first page, its number of pages, whether it is executable. A
 * range that is not executable, or a hole, may become code without our being told (mmap is not watched for that), so
 * after some uses it is asked for again. */
#include "unwind/code_ranges.h"

#include "base/attrs.h"
#include "os/proc.h"
#include "unwind/arch_native.h"

#include <stdatomic.h>

enum {
    RANGES = 16,
    USES_OF_NO_CODE = 1024,
    PAGE_BITS = 12,
    COUNT_BITS = 64 - 1 - (LT_ADDRESS_BITS - PAGE_BITS),
};

static _Atomic uint64_t ranges[RANGES]; /* 63 .. 29 first page | 28 .. 1 pages | 0 executable; 0: free */
static _Atomic uint32_t next, uses;

static uint64_t pack(uintptr_t start, uintptr_t end, bool executable) {
    uint64_t pages = (end - start) >> PAGE_BITS, most = ((uint64_t)1 << COUNT_BITS) - 1;
    return (uint64_t)(start >> PAGE_BITS) << (COUNT_BITS + 1) | (pages < most ? pages : most) << 1 | executable;
}

static uintptr_t start_of(uint64_t range) {
    return (range >> (COUNT_BITS + 1)) << PAGE_BITS;
}

static uintptr_t size_of(uint64_t range) {
    return (range >> 1 & (((uint64_t)1 << COUNT_BITS) - 1)) << PAGE_BITS;
}

static void drop(unsigned i, uint64_t range) {
    atomic_compare_exchange_strong(&ranges[i], &range, 0);
}

static uint64_t find(uintptr_t address) {
    for (unsigned i = 0; i < RANGES; i++) {
        uint64_t range = atomic_load(&ranges[i]);
        if (address - start_of(range) >= size_of(range))
            continue;
        if (!(range & 1) && atomic_fetch_add(&uses, 1) % USES_OF_NO_CODE == 0)
            drop(i, range);
        return range;
    }
    return 0;
}

struct search {
    uintptr_t address;
    uintptr_t hole; /* end of the mapping before */
    uint64_t range;
};

static bool see(void *context, const struct lt_map *map) {
    struct search *search = context;
    if (map->end <= search->address) {
        search->hole = map->end;
        return true;
    }
    search->range = map->start <= search->address ? pack(map->start, map->end, map->executable)
                                                  : pack(search->hole, map->start, false);
    return false;
}

static LT_COLD uint64_t ask(uintptr_t address, struct lt_scratch *scratch) {
    struct search search = {.address = address};
    if (lt_proc_maps(scratch->bytes, sizeof scratch->bytes, see, &search) != 0 || search.range == 0)
        return 0;
    atomic_store(&ranges[atomic_fetch_add(&next, 1) % RANGES], search.range);
    return search.range;
}

bool lt_code_ranges_hold(uintptr_t address, struct lt_scratch *scratch) {
    uint64_t range = find(address);
    if (range == 0)
        range = ask(address, scratch);
    return range & 1;
}

void lt_code_ranges_gone(uintptr_t start, uintptr_t end) {
    for (unsigned i = 0; i < RANGES; i++) {
        uint64_t range = atomic_load(&ranges[i]);
        if (range && start_of(range) < end && start < start_of(range) + size_of(range))
            drop(i, range);
    }
}
