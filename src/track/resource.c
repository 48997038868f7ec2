#include "track/resource.h"

#include "os/arena.h"
#include "os/clock.h"
#include "track/counters.h"
#include "track/thread.h"

#include <errno.h>

int lt_resource_acquire(struct lt_thread *thread, enum lt_kind kind, uint64_t size, const struct lt_regs *from,
                        struct lt_holding *holding) {
    struct lt_stack stack;
    lt_unwind_capture(thread->unwind, from, &stack);
    struct lt_site *site = lt_stacks_site(&thread->stacks, &stack, kind);
    if (lt_unlikely(!site)) {
        lt_untracked(LT_UNTRACKED_ARENA_FULL);
        return -ENOMEM;
    }
    *holding = (struct lt_holding){.site = site->number, .birth = lt_clock_cs()};
    lt_site_count(site, size, holding->birth);
    lt_add_own(&thread->sums[kind].acquired_count, 1);
    lt_add_own(&thread->sums[kind].acquired_bytes, size);
    return (int)stack.flags;
}

void lt_resource_undo(struct lt_thread *thread, const struct lt_holding *holding, uint64_t size) {
    const enum lt_kind kind = lt_holding_kind(holding);
    if (!kind)
        return;
    struct lt_site *site = lt_site_at(holding->site);
    lt_add_own(&site->alloc_count, (uint64_t)-1);
    lt_add_own(&site->alloc_bytes, -size);
    lt_add_own(&thread->sums[kind].acquired_count, (uint64_t)-1);
    lt_add_own(&thread->sums[kind].acquired_bytes, -size);
}

enum lt_kind lt_holding_kind(const struct lt_holding *holding) {
    const struct lt_site *site = lt_inherited(holding->site) ? NULL : lt_site_at(holding->site);
    return site ? site->kind : 0;
}

void lt_resource_release(struct lt_thread *thread, const struct lt_holding *holding, int64_t count, uint64_t size) {
    const enum lt_kind kind = lt_holding_kind(holding);
    if (kind)
        lt_count_released(thread, kind, (uint64_t)count, size);
}

void lt_resource_keep(struct lt_thread *thread, const struct lt_holding *holding, int64_t count, uint64_t size) {
    lt_resource_release(thread, holding, -count, -size);
}
