/* The hot path. An acquire counts at its site before the block can be found in the index, so that a snapshot, which
 * reads the index first and the sites after, never sees more blocks live at a site than were acquired there. */
#include "track/track.h"

#include "base/attrs.h"
#include "os/arena.h"
#include "os/clock.h"
#include "track/counters.h"
#include "track/descriptors.h"
#include "track/handles.h"
#include "track/live_index.h"
#include "track/mappings.h"
#include "track/misuses.h"
#include "track/program_threads.h"
#include "track/sampler.h"
#include "track/snapshot.h"
#include "track/thread.h"

#include <errno.h>
#include <stdatomic.h>

/* Neither an ignored block (counted when it was ignored) nor the parent process's is counted; a sampled one counts as
 * all that it stands for. */
static LT_COLD void special_block_gone(struct lt_thread *thread, enum lt_kind kind, struct lt_live_block block) {
    if (block.state & LT_LIVE_IGNORED || lt_inherited(block.site))
        return;
    const struct lt_weight weight = lt_weight_of(kind, block.size);
    lt_count_released(thread, kind, weight.count, weight.bytes);
}

/* What is no longer live. */
static LT_ALWAYS_INLINE void block_gone(struct lt_thread *thread, enum lt_kind kind,
                                        const struct lt_live_block *block) {
    if (lt_likely(!(block->state & LT_LIVE_IGNORED) && !lt_special(block->site)))
        lt_count_released(thread, kind, 1, block->size);
    else
        special_block_gone(thread, kind, *block);
}

static LT_COLD int refuse(enum lt_kind kind, uint64_t size) {
    lt_untracked(kind != LT_KIND_HEAP      ? LT_UNTRACKED_KIND_OFF
                 : lt_live_size_fits(size) ? LT_UNTRACKED_ADDRESS
                                           : LT_UNTRACKED_TOO_LARGE);
    return -EINVAL;
}

static LT_COLD int no_memory(void) {
    lt_untracked(LT_UNTRACKED_ARENA_FULL);
    return -ENOMEM;
}

/* The index did not simply take the block: no room, or the address was still held. */
static LT_COLD int insert_was_special(int status, struct lt_thread *thread, enum lt_kind kind, struct lt_site *site,
                                      uint64_t size, const struct lt_live_block *old) {
    if (status < 0) {
        lt_add_own(&site->alloc_count, (uint64_t)-1);
        lt_add_own(&site->alloc_bytes, -size);
        return no_memory();
    }
    lt_untracked(LT_UNTRACKED_MISSED_RELEASE);
    block_gone(thread, kind, old);
    return 0;
}

LT_FLATTEN int lt_acquire(struct lt_thread *thread, enum lt_kind kind, uintptr_t address, uint64_t size,
                          const struct lt_regs *from) {
    if (lt_unlikely(kind != LT_KIND_HEAP || !lt_live_address_fits(address) || !lt_live_size_fits(size)))
        return refuse(kind, size);
    struct lt_stack stack;
    uint32_t *place = lt_live_place(address);
    lt_unwind_capture(thread->unwind, from, &stack);
    struct lt_site *site = lt_stacks_site(&thread->stacks, &stack, kind);
    if (lt_unlikely(!site))
        return no_memory();
    struct lt_live_block old,
        block = {.address = address, .size = size, .birth = lt_clock_noted(&thread->clock), .site = site->number};
    lt_site_count(site, size, block.birth);
    int status = lt_live_insert(&block, place, &old);
    if (lt_unlikely(status != 0) && (status = insert_was_special(status, thread, kind, site, size, &old)) < 0)
        return status;
    lt_add_own(&thread->sums[kind].acquired_count, 1);
    lt_add_own(&thread->sums[kind].acquired_bytes, size);
    return (int)stack.flags;
}

static void add_saturated(_Atomic uint64_t *sum, uint64_t n) {
    const uint64_t before = atomic_load_explicit(sum, memory_order_relaxed);
    atomic_store_explicit(sum, lt_saturated_sum(before, n), memory_order_relaxed);
}

/* Lifts what was counted once to what it stands for. Not a second version of lt_acquire, with which the compiler would
 * inline less into the first. */
static LT_COLD void weigh(struct lt_thread *thread, enum lt_kind kind, uintptr_t address, uint64_t size) {
    const struct lt_weight weight = lt_weight_of(kind, size);
    const uint32_t *entry = lt_live_find(address);
    struct lt_live_block block;
    lt_add_own(&thread->sums[kind].acquired_count, weight.count - 1);
    lt_add_own(&thread->sums[kind].acquired_bytes, weight.bytes - size);
    if (!entry)
        return; /* a thread that frees what is not its own was faster */
    lt_live_read(entry, &block);
    struct lt_site *site = lt_site_at(block.site);
    struct lt_site_samples *samples = lt_site_samples(site);
    lt_add_own(&site->alloc_count, weight.count - 1);
    lt_add_own(&site->alloc_bytes, weight.bytes - size);
    add_saturated(&samples->acquired, 1);
    add_saturated(&samples->count_variance, weight.count_variance);
    add_saturated(&samples->bytes_variance, weight.bytes_variance);
}

int lt_acquire_sampled(struct lt_thread *thread, enum lt_kind kind, uintptr_t address, uint64_t size,
                       const struct lt_regs *from) {
    const int flags = lt_acquire(thread, kind, address, size, from);
    if (flags >= 0)
        weigh(thread, kind, address, size);
    return flags;
}

int lt_stack_flags(struct lt_thread *thread, const struct lt_regs *from) {
    struct lt_stack stack;
    lt_unwind_capture(thread->unwind, from, &stack);
    return (int)stack.flags;
}

bool lt_release(struct lt_thread *thread, enum lt_kind kind, uintptr_t address) {
    struct lt_live_block block;
    if (lt_unlikely(kind != LT_KIND_HEAP) || !lt_live_take(address, &block))
        return false;
    block_gone(thread, kind, &block);
    return true;
}

struct lt_move lt_move_begin(enum lt_kind kind, uintptr_t address) {
    uint32_t *entry = lt_likely(kind == LT_KIND_HEAP) ? lt_live_find(address) : NULL;
    struct lt_move move = {.entry = entry, .address = address};
    if (entry)
        lt_live_set_state(entry, LT_LIVE_MOVING, 0);
    return move;
}

void lt_move_cancel(const struct lt_move *move) {
    if (move->entry)
        lt_live_set_state(move->entry, 0, LT_LIVE_MOVING);
}

void lt_move_commit(struct lt_thread *thread, enum lt_kind kind, const struct lt_move *move) {
    if (!move->entry)
        return;
    struct lt_live_block block;
    lt_live_read(move->entry, &block);
    lt_live_remove(move->entry);
    block_gone(thread, kind, &block);
}

void lt_ignore(enum lt_kind kind, uintptr_t address) {
    uint32_t *entry = kind == LT_KIND_HEAP ? lt_live_find(address) : NULL;
    if (!entry)
        return;
    struct lt_live_block block;
    lt_live_read(entry, &block);
    block_gone(NULL, kind, &block);
    lt_live_set_state(entry, LT_LIVE_IGNORED, 0);
}

static void add_sums(struct lt_totals *totals, const struct lt_event_sums *sums) {
    totals->acquired_count += atomic_load_explicit(&sums->acquired_count, memory_order_relaxed);
    totals->acquired_bytes += atomic_load_explicit(&sums->acquired_bytes, memory_order_relaxed);
    totals->released_count += atomic_load_explicit(&sums->released_count, memory_order_relaxed);
    totals->released_bytes += atomic_load_explicit(&sums->released_bytes, memory_order_relaxed);
}

void lt_totals(enum lt_kind kind, struct lt_totals *totals) {
    *totals = (struct lt_totals){0, 0, 0, 0};
    if (kind >= LT_KIND_END)
        return;
    add_sums(totals, &lt_thread_shared_sums()[kind]);
    for (struct lt_thread *thread = lt_thread_first(); thread; thread = thread->next)
        add_sums(totals, &thread->sums[kind]);
    totals->acquired_count = lt_whole_count(kind, totals->acquired_count);
    totals->acquired_bytes = lt_whole_bytes(kind, totals->acquired_bytes);
    totals->released_count = lt_whole_count(kind, totals->released_count);
    totals->released_bytes = lt_whole_bytes(kind, totals->released_bytes);
}

uint64_t lt_own_acquires(void) {
    uint64_t count = 0;
    for (enum lt_kind kind = LT_KIND_HEAP; kind < LT_KIND_END; kind++) {
        struct lt_totals totals;
        lt_totals(kind, &totals);
        count += totals.acquired_count;
    }
    return count;
}

int lt_track_init(void) {
    lt_thread_init();
    int (*const init[])(void) = {lt_live_init,     lt_site_numbers_init,    lt_descriptors_init,
                                 lt_mappings_init, lt_program_threads_init, lt_handles_init,
                                 lt_misuses_init};
    int status = 0;
    for (unsigned i = 0; !status && i < LT_ARRAY_SIZE(init); i++)
        status = init[i]();
    return status;
}

void lt_track_warm_up(uint32_t until) {
    atomic_store(&lt_stacks_warm_until, until);
}

bool lt_track_warming_up(uint64_t now) {
    uint32_t until = atomic_load_explicit(&lt_stacks_warm_until, memory_order_relaxed);
    if (lt_unlikely(until && now >= until) && atomic_compare_exchange_strong(&lt_stacks_warm_until, &until, 0)) {
        lt_unwind_raise_epoch();
        return false;
    }
    return until != 0;
}

void lt_track_forked(void) {
    lt_unwind_raise_epoch();
    lt_thread_forked(); /* first: what is let go of below is inherited, and not counted */
    lt_mappings_forked();
    lt_program_threads_forked();
    lt_handles_forked();
    lt_snapshot_forked();
    lt_untracked_forked();
    lt_descriptors_forked();
    lt_misuses_forked();
}
