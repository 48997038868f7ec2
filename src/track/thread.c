#include "track/thread.h"

#include "base/hash.h"
#include "os/arena.h"
#include "os/clock.h"
#include "os/task.h"
#include "track/track.h"

/* How many tables a new thread asks after before it makes its own: enough that dead ones are found soon, few enough
 * that a thousand living threads do not mean a thousand system calls. */
enum { ASK_AT_MOST = 32 };

static struct lt_thread *_Atomic registry;
static struct lt_thread *_Atomic ask_next; /* where the next search for a dead thread's table begins */
static _Atomic uint32_t tables, adoptions;
static struct lt_event_sums shared_sums[LT_KIND_END];
_Atomic uint32_t lt_inherited_end, lt_special_end;
static LT_TLS struct lt_thread *own; /* for fork: which table is the caller's */

/* 0 where a sandbox forbids to ask. */
static uint64_t myself(void) {
    const int pid = lt_getpid(), tid = lt_gettid();
    return pid > 0 && tid > 0 ? (uint64_t)pid << 32 | (uint32_t)tid : 0;
}

struct lt_thread *lt_thread_first(void) {
    return atomic_load_explicit(&registry, memory_order_acquire);
}

struct lt_event_sums *lt_thread_shared_sums(void) {
    return shared_sums;
}

uint32_t lt_thread_tables(void) {
    return atomic_load_explicit(&tables, memory_order_relaxed);
}

uint32_t lt_thread_adoptions(void) {
    return atomic_load_explicit(&adoptions, memory_order_relaxed);
}

/* A table that names the caller itself as its owner is a dead thread's too, whose tid the kernel has given out again.
 * Another pid means that this memory is not what it seems: it is the parent's (vfork), or a copy that lt_thread_forked
 * has not seen yet. There the table's owner may well go on. */
static bool adopt(struct lt_thread *thread, uint64_t me) {
    uint64_t owner = atomic_load_explicit(&thread->owner, memory_order_acquire);
    bool foreign = owner && owner >> 32 != me >> 32;
    bool alive = owner && owner != me && (foreign || lt_tid_alive((int)(uint32_t)owner));
    if (alive || !atomic_compare_exchange_strong(&thread->owner, &owner, me))
        return false;
    lt_unwind_state_reset(thread->unwind);
    atomic_fetch_add_explicit(&adoptions, 1, memory_order_relaxed);
    return true;
}

static struct lt_thread *adopt_any(uint64_t me) {
    struct lt_thread *thread = atomic_load_explicit(&ask_next, memory_order_acquire);
    for (uint32_t asked = 0, count = lt_thread_tables(); asked < count && asked < ASK_AT_MOST; asked++) {
        if (!thread)
            thread = lt_thread_first();
        if (!thread)
            return NULL;
        atomic_store_explicit(&ask_next, thread->next, memory_order_release);
        if (adopt(thread, me))
            return thread;
        thread = thread->next;
    }
    return NULL;
}

/* Threads must not draw the same numbers, nor may a child those of its parent. */
static void start_sampler(struct lt_thread *thread, uint64_t me) {
    if (lt_sampling_mean)
        lt_sampler_init(&thread->sampler, lt_hash_add(lt_hash_add(lt_clock_mono_ns(), me), (uintptr_t)thread));
}

static struct lt_thread *make(uint64_t me) {
    struct lt_unwind_state *unwind = lt_unwind_state_new();
    struct lt_thread *thread = unwind ? lt_arena_alloc(sizeof *thread, 64) : NULL;
    if (!thread)
        return NULL;
    lt_stacks_init(&thread->stacks);
    thread->unwind = unwind;
    start_sampler(thread, me);
    atomic_store_explicit(&thread->owner, me, memory_order_relaxed);
    thread->next = atomic_load_explicit(&registry, memory_order_relaxed);
    while (!atomic_compare_exchange_weak_explicit(&registry, &thread->next, thread, memory_order_release,
                                                  memory_order_relaxed))
        ;
    atomic_fetch_add_explicit(&tables, 1, memory_order_relaxed);
    return thread;
}

struct lt_thread *lt_thread_attach(void) {
    uint64_t me = myself();
    if (own && atomic_load_explicit(&own->owner, memory_order_relaxed) == me)
        return own;
    if (!me)
        return NULL;
    struct lt_thread *thread = adopt_any(me);
    own = thread ? thread : make(me);
    return own;
}

void lt_thread_init(void) {
    atomic_store_explicit(&lt_special_end, lt_sampling_mean ? UINT32_MAX : 0, memory_order_relaxed);
}

static void clear_sums(struct lt_event_sums *sums) {
    for (unsigned kind = 0; kind < LT_KIND_END; kind++) {
        atomic_store_explicit(&sums[kind].acquired_count, 0, memory_order_relaxed);
        atomic_store_explicit(&sums[kind].acquired_bytes, 0, memory_order_relaxed);
        atomic_store_explicit(&sums[kind].released_count, 0, memory_order_relaxed);
        atomic_store_explicit(&sums[kind].released_bytes, 0, memory_order_relaxed);
    }
}

void lt_thread_forked(void) {
    const uint64_t me = myself();
    const uint32_t end = lt_site_numbers_end();
    clear_sums(shared_sums);
    for (struct lt_thread *thread = lt_thread_first(); thread; thread = thread->next) {
        lt_stacks_forked(&thread->stacks, thread == own);
        thread->progress = (struct lt_dump_progress){.limit = 0};
        clear_sums(thread->sums);
        start_sampler(thread, me);
        atomic_store_explicit(&thread->owner, thread == own ? me : 0, memory_order_release);
    }
    atomic_store_explicit(&lt_inherited_end, end, memory_order_relaxed);
    atomic_store_explicit(&lt_special_end, lt_sampling_mean ? UINT32_MAX : end, memory_order_relaxed);
}
