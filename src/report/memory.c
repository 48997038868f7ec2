#include "report/memory.h"

#include "report/allocator.h"
#include "report/go_runtime.h"
#include "report/kinds.h"
#include "report/recorded.h"

#include <string.h>

enum {
    LEAST_CACHE = 16 << 20,
    LEAST_KEPT = 32 << 20,
    BLOCK_OVERHEAD = 16, /* glibc: 8 bytes of header, and rounding to 16 */
};

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
    return whole && part >= LEAST_CACHE && part > whole / 2;
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

/* ---- of the process ---- */

/* Resident bytes by what they are. */
struct classes {
    uint64_t malloc, go_runtime, mappings, stacks, own, other;
    bool any;
};

static uint64_t *class_of(const struct lt_model *model, const struct lt_dump_mapping *row, struct classes *classes) {
    switch (row->mapping_class) {
    case LT_MAPPING_HEAP:
    case LT_MAPPING_ARENA:
    case LT_MAPPING_MALLOC_BLOCK:
        return &classes->malloc;
    case LT_MAPPING_STACK:
    case LT_MAPPING_THREAD_STACK:
        return &classes->stacks;
    case LT_MAPPING_OWN:
        return &classes->own;
    default:
        break;
    }
    if (!lt_holder_is_known(&row->holder))
        return &classes->other;
    if (lt_is_go_runtime(model, &row->holder))
        return &classes->go_runtime;
    return lt_is_allocators(model, &row->holder) ? &classes->malloc : &classes->mappings;
}

static struct classes classes_of(const struct lt_model *model) {
    struct classes classes = {0};
    for (size_t i = 0; i < model->snapshot->mapping_count; i++) {
        const struct lt_dump_mapping *row = &model->snapshot->mappings[i];
        if (row->details.resident == LT_NO_NUMBER)
            continue;
        *class_of(model, row, &classes) += row->details.resident;
        classes.any = true;
    }
    return classes;
}

/* Pages of live blocks that nobody has touched are not resident: malloc may keep more than this. */
static void split_malloc(const struct lt_dump_snapshot *snapshot, uint64_t malloc, struct lt_resident_use *use) {
    const struct lt_dump_totals *heap = &snapshot->totals[LT_KIND_HEAP];
    const uint64_t blocks = heap->live_count + heap->inherited_count;
    const uint64_t needed = heap->live_bytes + heap->inherited_bytes + BLOCK_OVERHEAD * blocks;
    use->in_use = needed < malloc ? needed : malloc;
    use->kept = malloc - use->in_use;
}

bool lt_resident_of(const struct lt_model *model, struct lt_resident_use *use) {
    const struct lt_dump_snapshot *snapshot = model ? model->snapshot : NULL;
    const uint64_t none = LT_NO_NUMBER, anonymous = value_of(snapshot, LT_MEMORY_RESIDENT_ANON);
    *use = (struct lt_resident_use){none, none, none, none, false, none, none, none, none, none, none, none};
    if (anonymous == none)
        return false;
    const struct classes classes = classes_of(model);
    use->files = known_or(value_of(snapshot, LT_MEMORY_RESIDENT_FILE), 0);
    use->shared = known_or(value_of(snapshot, LT_MEMORY_RESIDENT_SHMEM), 0);
    use->swap = value_of(snapshot, LT_MEMORY_SWAP);
    use->total = anonymous + use->files + use->shared;
    use->is_split = classes.any;
    if (!classes.any)
        return true;
    split_malloc(snapshot, classes.malloc, use);
    use->go_runtime = classes.go_runtime;
    use->stacks = classes.stacks;
    use->own = classes.own;
    const uint64_t rest = without(anonymous, classes.malloc + use->go_runtime + use->stacks + use->own);
    use->mappings = classes.mappings < rest ? classes.mappings : rest; /* an estimate, where they are large */
    use->other = rest - use->mappings;
    return true;
}

bool lt_is_mostly_kept(const struct lt_model *model, const struct lt_resident_use *use) {
    return use->is_split && lt_recorded_kinds(model) & LT_KIND_BIT(LT_KIND_HEAP) && use->kept >= LEAST_KEPT &&
           use->kept > use->in_use;
}
