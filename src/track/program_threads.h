/* The program's threads: who created them, whether they still run, whether anybody will ever join them. (The library's
 * table per thread is another matter: thread.h.)
 *
 * A record is made before the real pthread_create, so that the new thread can write its tid into it, and is given up
 * where that fails. It is released by a join, by a detached thread's end (noticed at the next snapshot or creation that
 * needs room, when the kernel no longer knows the tid), and by detaching one that has ended. A thread that ended and
 * was neither joined nor detached still holds its stack: the leak. Under the same kind of lock as mappings.h, but its
 * own. */
#ifndef LT_TRACK_PROGRAM_THREADS_H
#define LT_TRACK_PROGRAM_THREADS_H

#include "base/status.h"
#include "track/resource.h"

#include <stdbool.h>
#include <stdint.h>

struct lt_program_thread {
    struct lt_holding holding;
    uint64_t handle;     /* pthread_t, 0 until the real call has returned */
    uint64_t stack_size; /* bytes, as asked for or as seen; 0 unknown */
    uintptr_t stack;     /* an address in its stack, 0 until it runs */
    int tid;             /* 0 until it runs */
    bool detached;
    bool inherited;
};

LT_STATUS lt_program_threads_init(void);

/* A thread is about to be created: its record, for the calls below; NULL where the lock or memory could not be had
 * (counted untracked). */
struct lt_program_thread *lt_program_thread_new(const struct lt_program_thread *);

/* In the new thread, first thing. */
void lt_program_thread_runs(struct lt_program_thread *, int tid, uintptr_t stack);

/* pthread_create returned: the handle, or (handle 0) it failed and the record is given up. */
void lt_program_thread_created(struct lt_program_thread *, uint64_t handle);

/* pthread_join and its like succeeded; pthread_detach succeeded. By handle; false where it is not recorded. */
bool lt_program_thread_joined(struct lt_thread *, uint64_t handle);
bool lt_program_thread_detached(struct lt_thread *, uint64_t handle);

/* For the snapshot: the i-th record in use at or after *i, copied; false after the last. */
bool lt_program_thread_next(uint32_t *i, struct lt_program_thread *);

/* For the snapshot: a detached thread has ended (the kernel does not know its tid). Counts its release if the record is
 * still the one `seen`. */
bool lt_program_thread_ended(uint32_t i, const struct lt_program_thread *seen);

/* In a forked child only the calling thread lives; the others' records go, and what they held is nobody's. */
void lt_program_threads_forked(void);

#endif
