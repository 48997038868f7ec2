#include "track/program_threads.h"

#include "base/attrs.h"
#include "base/hash.h"
#include "os/task.h"
#include "track/counters.h"
#include "track/keyed.h"
#include "track/table_lock.h"
#include "track/thread.h"

#include <pthread.h>
#include <stddef.h>
#include <string.h>

/* How many records each creation asks after, going round. While the table has C records a round takes C / 4 creations,
 * so that at most C / 2 records are those of threads whose end has not been noticed: the table keeps below four times
 * what lives at one time. */
enum { ASK_AT_ONCE = 4 };

/* Handles of threads that are nobody's concern any more, for lt_program_thread_past; one forgets another. */
enum { PAST_BITS = 9 };
static uint64_t past[1 << PAST_BITS];

struct record {
    struct lt_keyed_record keyed;
    struct lt_program_thread thread;
    bool created; /* its creator is back from the real call */
    bool gone;    /* released before that: its creator gives the record up */
    bool sought;  /* by a hook that joins or detaches: its handle may be given out again before the hook is back */
};

static struct lt_table_lock lock;
static struct lt_keyed table;
static uint32_t ask_next;
static uint64_t vanished;

int lt_program_threads_init(void) {
    memset(&table, 0, sizeof table);
    table.record_size = sizeof(struct record);
    lt_table_lock_reset(&lock);
    return 0;
}

static struct record *record_of(struct lt_program_thread *thread) {
    return (struct record *)((char *)thread - offsetof(struct record, thread));
}

void lt_program_thread_remember(uint64_t handle) {
    __atomic_store_n(&past[lt_hash_mix(handle) >> (64 - PAST_BITS)], handle, __ATOMIC_RELAXED);
}

/* The thread is nobody's concern any more. */
static void leave(struct lt_thread *thread, struct record *record) {
    lt_program_thread_remember(record->thread.handle);
    if (!record->created) {
        record->gone = true;
        return;
    }
    lt_resource_release(thread, &record->thread.holding, 1, 0);
    lt_keyed_free(&table, &record->keyed);
}

static bool has_ended(const struct record *record) {
    return record->thread.tid && !lt_tid_alive(record->thread.tid);
}

/* Looks at some records for detached threads that have ended. */
static void sweep(struct lt_thread *thread) {
    for (unsigned asked = 0; asked < ASK_AT_ONCE; asked++, ask_next++) {
        struct record *record = lt_keyed_at(&table, ask_next);
        if (!record)
            record = lt_keyed_at(&table, ask_next = 0);
        if (record && record->keyed.generation & 1 && record->created && record->thread.detached && has_ended(record))
            leave(thread, record);
    }
}

static struct record *new_record(struct lt_thread *thread) {
    if (!lt_table_lock(&lock))
        return NULL;
    sweep(thread);
    struct record *record = lt_keyed_new(&table);
    if (!record)
        lt_untracked(LT_UNTRACKED_ARENA_FULL);
    lt_table_unlock(&lock);
    return record;
}

struct lt_program_thread *lt_program_thread_new(struct lt_thread *thread, const struct lt_program_thread *wanted) {
    struct record *record = new_record(thread);
    if (!record) {
        lt_resource_undo(thread, &wanted->holding, 0);
        return NULL;
    }
    record->thread = *wanted;
    record->thread.generation = record->keyed.generation;
    return &record->thread;
}

/* Who had the handle before has been released: by its end, by a hook that is not back yet, or behind our back. */
static void set_handle(struct record *record, uint64_t handle) {
    struct record *old = lt_keyed_find(&table, handle);
    if (record->keyed.has_key || old == record)
        return;
    if (old) {
        vanished += !old->thread.detached && !old->sought;
        leave(NULL, old);
    }
    record->thread.handle = handle;
    lt_keyed_set_key(&table, &record->keyed, handle);
}

void lt_program_thread_runs(struct lt_program_thread *thread, int tid, uint64_t handle, uintptr_t stack) {
    struct record *record = record_of(thread);
    const bool locked = lt_table_lock(&lock);
    thread->stack = stack;
    thread->tid = tid;
    if (!locked)
        return;
    set_handle(record, handle);
    lt_table_unlock(&lock);
}

/* The new thread can't pass lt_program_thread_runs while the lock is held here: until it has, the handle is where the
 * real call has put it. */
void lt_program_thread_created(struct lt_thread *thread, struct lt_program_thread *created,
                               const unsigned long *handle) {
    struct record *record = record_of(created);
    const bool locked = lt_table_lock(&lock);
    record->created = true;
    if (!locked)
        return;
    if (record->gone)
        leave(thread, record);
    else if (!created->tid)
        set_handle(record, *handle);
    lt_table_unlock(&lock);
}

void lt_program_thread_failed(struct lt_thread *thread, struct lt_program_thread *failed) {
    lt_resource_undo(thread, &failed->holding, 0);
    if (!lt_table_lock(&lock))
        return;
    lt_keyed_free(&table, &record_of(failed)->keyed);
    lt_table_unlock(&lock);
}

bool lt_program_thread_find(uint64_t handle, struct lt_program_thread_ticket *ticket) {
    *ticket = (struct lt_program_thread_ticket){.thread = NULL};
    if (!lt_table_lock(&lock))
        return false;
    struct record *record = lt_keyed_find(&table, handle);
    if (record) {
        record->sought = true;
        *ticket = (struct lt_program_thread_ticket){&record->thread, record->keyed.generation};
    }
    lt_table_unlock(&lock);
    return record != NULL;
}

/* The record that the ticket was for, with the lock held; NULL, and no lock, where there is none. */
static struct record *redeem(const struct lt_program_thread_ticket *ticket) {
    if (!ticket->thread || !lt_table_lock(&lock))
        return NULL;
    struct record *record = record_of(ticket->thread);
    if (record->keyed.generation == ticket->generation)
        return record;
    lt_table_unlock(&lock);
    return NULL;
}

void lt_program_thread_joined(struct lt_thread *thread, const struct lt_program_thread_ticket *ticket) {
    struct record *record = redeem(ticket);
    if (!record)
        return;
    leave(thread, record);
    lt_table_unlock(&lock);
}

void lt_program_thread_detached(struct lt_thread *thread, const struct lt_program_thread_ticket *ticket) {
    struct record *record = redeem(ticket);
    if (!record)
        return;
    record->thread.detached = true;
    if (has_ended(record))
        leave(thread, record);
    lt_table_unlock(&lock);
}

static void copy_out(struct lt_program_thread *to, const struct record *from) {
    *to = from->thread;
    to->inherited = lt_inherited(to->holding.site);
}

bool lt_program_thread_next(uint32_t *i, struct lt_program_thread *found) {
    if (!lt_table_lock(&lock))
        return false;
    struct record *record;
    while ((record = lt_keyed_used(&table, i)) && (!record->created || record->gone))
        ++*i;
    if (record)
        copy_out(found, record);
    lt_table_unlock(&lock);
    return record != NULL;
}

bool lt_program_thread_ended(uint32_t i, const struct lt_program_thread *seen) {
    if (!lt_table_lock(&lock))
        return false;
    struct record *record = lt_keyed_at(&table, i);
    const bool same = record && record->keyed.generation == seen->generation && record->created;
    if (same)
        leave(NULL, record);
    lt_table_unlock(&lock);
    return same;
}

uint64_t lt_program_threads_vanished(void) {
    return __atomic_load_n(&vanished, __ATOMIC_RELAXED);
}

bool lt_program_thread_past(uint32_t *i, uint64_t *handle) {
    for (; *i < LT_ARRAY_SIZE(past); ++*i)
        if ((*handle = __atomic_load_n(&past[*i], __ATOMIC_RELAXED)) != 0)
            return true;
    return false;
}

void lt_program_threads_forked(void) {
    const uint64_t self = (uint64_t)pthread_self();
    lt_table_lock_reset(&lock);
    vanished = 0;
    uint32_t i = 0;
    for (struct record *record; (record = lt_keyed_used(&table, &i)); i++) {
        record->created = true;
        if (record->thread.handle == self && record->thread.tid)
            record->thread.tid = lt_gettid();
        else
            leave(NULL, record);
    }
}
