#include "report/memory.h"

#include <string.h>

enum { LEAST_CACHE = 16 << 20 };

static uint64_t value_of(const struct lt_dump_snapshot *snapshot, const char *name) {
    for (size_t i = 0; snapshot && i < snapshot->counter_count; i++)
        if (snapshot->counters[i].group == LT_COUNTER_MEMORY && strcmp(snapshot->counters[i].name, name) == 0)
            return snapshot->counters[i].value;
    return LT_NO_NUMBER;
}

static uint64_t known_or(uint64_t value, uint64_t otherwise) {
    return value == LT_NO_NUMBER ? otherwise : value;
}

/* Numbers that are read one after the other need not agree. */
static uint64_t without(uint64_t whole, uint64_t part) {
    if (whole == LT_NO_NUMBER || part == LT_NO_NUMBER)
        return whole;
    return whole > part ? whole - part : 0;
}

bool lt_cgroup_of(const struct lt_dump_snapshot *snapshot, struct lt_cgroup_use *use) {
    const uint64_t shared = value_of(snapshot, LT_MEMORY_CGROUP_SHMEM);
    *use = (struct lt_cgroup_use){
        .used = value_of(snapshot, LT_MEMORY_CGROUP_USED),
        .limit = value_of(snapshot, LT_MEMORY_CGROUP_LIMIT),
        /* no file stands behind shared memory, which the kernel counts as cache */
        .page_cache = without(value_of(snapshot, LT_MEMORY_CGROUP_FILE), shared),
        .inactive = value_of(snapshot, LT_MEMORY_CGROUP_INACTIVE_FILE),
        .shared = shared,
        .anonymous = value_of(snapshot, LT_MEMORY_CGROUP_ANON),
        .kernel = known_or(value_of(snapshot, LT_MEMORY_CGROUP_KERNEL), value_of(snapshot, LT_MEMORY_CGROUP_SLAB)),
        .sockets = value_of(snapshot, LT_MEMORY_CGROUP_SOCK),
    };
    return use->used != LT_NO_NUMBER;
}

uint64_t lt_working_set(const struct lt_cgroup_use *use) {
    return use->inactive == LT_NO_NUMBER ? LT_NO_NUMBER : without(use->used, use->inactive);
}

static bool is_most(uint64_t part, uint64_t whole) {
    return part >= LEAST_CACHE && part > whole / 2;
}

enum lt_page_cache lt_page_cache_of(const struct lt_model *model, const struct lt_model *base,
                                    const struct lt_dump_snapshot **since) {
    struct lt_cgroup_use now, before;
    *since = base ? base->snapshot : &model->dump->snapshots[0];
    if (!lt_cgroup_of(model->snapshot, &now) || now.page_cache == LT_NO_NUMBER)
        return LT_PAGE_CACHE_LITTLE;
    if (lt_cgroup_of(*since, &before) && before.page_cache != LT_NO_NUMBER &&
        is_most(without(now.page_cache, before.page_cache), without(now.used, before.used)))
        return LT_PAGE_CACHE_GROWTH;
    return now.limit != LT_NO_NUMBER && is_most(now.page_cache, now.used) ? LT_PAGE_CACHE_MOST : LT_PAGE_CACHE_LITTLE;
}
