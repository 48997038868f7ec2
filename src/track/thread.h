/* The per-thread table: call-stack trie, sites, counters; the registry of all of them, and how a dead thread's table
 * finds a new owner.
 *
 * A table is never given back: other libraries' TSD destructors still allocate after ours would have run. Instead a new
 * thread adopts, at its first event, the table of a thread that the kernel no longer knows (or that a fork left
 * behind), with its nodes, sites and sums. So memory follows the largest number of threads alive at one time. */
#ifndef LT_TRACK_THREAD_H
#define LT_TRACK_THREAD_H

#include "base/attrs.h"
#include "base/kind.h"
#include "os/arch.h"
#include "os/clock.h"
#include "track/sampler.h"
#include "track/stacks.h"
#include "unwind/unwind.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* Sums of events. Of a table: written by its owner only, read by all. */
struct lt_event_sums {
    _Atomic uint64_t acquired_count, acquired_bytes, released_count, released_bytes;
};

/* How far the dump has got with the table's nodes; the snapshot's (dictionary.c). */
struct lt_dump_progress {
    struct lt_pool_cursor kept, reached; /* behind the last node of a complete snapshot, of the present one */
    uint32_t kept_count, fresh;          /* nodes up to `kept`, from there to `reached` */
    uint32_t limit;                      /* nodes there were when the present snapshot began */
};

struct lt_thread {
    struct lt_stacks stacks;
    struct lt_unwind_state *unwind;
    struct lt_clock_note clock;
    _Atomic uint64_t owner; /* pid << 32 | tid */
    struct lt_thread *next; /* in the registry; never changes */
    struct lt_dump_progress progress;
    struct lt_event_sums sums[LT_KIND_END];
    struct lt_sampler sampler;
};

/* Adds to a number that no other thread writes; a handler of this thread may (a release needs no guard). */
static LT_ALWAYS_INLINE void lt_add_own(_Atomic uint64_t *number, uint64_t n) {
    lt_arch_add_own((uint64_t *)number, n);
}

/* The newest table of the registry; go on with ->next. Lock-free, any thread. */
struct lt_thread *lt_thread_first(void);

/* Sums of releases by threads without a table. */
struct lt_event_sums *lt_thread_shared_sums(void);

/* Counts an acquisition at `now` (centiseconds) at its site. The site is the calling thread's. */
static LT_ALWAYS_INLINE void lt_site_count(struct lt_site *site, uint64_t size, uint32_t now) {
    uint64_t count = atomic_load_explicit(&site->alloc_count, memory_order_relaxed);
    if (lt_unlikely(count == 0))
        atomic_store_explicit(&site->first_birth, now, memory_order_relaxed);
    atomic_store_explicit(&site->last_birth, now, memory_order_relaxed);
    atomic_store_explicit(&site->alloc_count, count + 1, memory_order_relaxed);
    lt_add_own(&site->alloc_bytes, size);
}

/* Counts a release; `thread` is the calling thread's table, NULL where it has none. `count` may be negative, see
 * resource.h. */
static LT_ALWAYS_INLINE void lt_count_released(struct lt_thread *thread, enum lt_kind kind, uint64_t count,
                                               uint64_t size) {
    if (lt_likely(thread)) {
        lt_add_own(&thread->sums[kind].released_count, count);
        lt_add_own(&thread->sums[kind].released_bytes, size);
    } else {
        struct lt_event_sums *shared = &lt_thread_shared_sums()[kind];
        atomic_fetch_add_explicit(&shared->released_count, count, memory_order_relaxed);
        atomic_fetch_add_explicit(&shared->released_bytes, size, memory_order_relaxed);
    }
}

/* How many tables there are, and how often one was adopted. */
uint32_t lt_thread_tables(void);
uint32_t lt_thread_adoptions(void);

/* In a forked child: forgets all nodes, sites and sums; the caller's table (if it has one) gets its new owner, all
 * others become adoptable; every site made so far becomes inherited. */
void lt_thread_forked(void);

/* Whether the site of that number was made before this process was forked: its blocks are the parent's. */
extern _Atomic uint32_t lt_inherited_end;
static LT_ALWAYS_INLINE bool lt_inherited(uint32_t site) {
    return site < atomic_load_explicit(&lt_inherited_end, memory_order_relaxed);
}

/* Whether a block of the site may count as something else than one block: inherited sites, and all while sampling. */
extern _Atomic uint32_t lt_special_end;
static LT_ALWAYS_INLINE bool lt_special(uint32_t site) {
    return site < atomic_load_explicit(&lt_special_end, memory_order_relaxed);
}

/* Once, before the first thread: all sites are special while sampling. */
void lt_thread_init(void);

#endif
