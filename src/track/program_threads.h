/* The program's threads: who created them, whether they still run, whether anybody will ever join them. (The library's
 * table per thread is another matter: thread.h.)
 *
 * A record is made before the real pthread_create, so that the new thread can write its tid into it, and is given up
 * where that fails. It is released by a join, by a detached thread's end (noticed at the next snapshot, or by one of
 * the next creations, when the kernel no longer knows the tid), and by detaching one that has ended. A thread that
 * ended and was neither joined nor detached still holds its stack: the leak. Its acquisition and release count no
 * bytes: what its stack takes is part of the mappings.
 *
 * A handle can be given out again the moment its thread was joined, before the joiner is back: who releases one asks
 * for a ticket first. Whoever gets a handle that is still recorded has the old one's release counted; where no hook had
 * asked for it and it was not detached, it *vanished*: joined or detached where nobody could see it.
 *
 * Under a lock of its own (table_lock.h). errno untouched. */
#ifndef LT_TRACK_PROGRAM_THREADS_H
#define LT_TRACK_PROGRAM_THREADS_H

#include "base/status.h"
#include "track/resource.h"

#include <stdbool.h>
#include <stdint.h>

struct lt_program_thread {
    struct lt_holding holding;
    uint64_t handle;     /* pthread_t; 0 until the thread runs or the real call has returned */
    uint64_t stack_size; /* bytes, as asked for; 0 unknown */
    uintptr_t stack;     /* an address in its stack, 0 until it runs */
    int tid;             /* 0 until it runs */
    bool detached;
    bool inherited;
    void *(*start)(void *); /* what the program wants to be run, for whoever runs the thread */
    void *argument;
    uint32_t generation; /* private */
};

LT_STATUS lt_program_threads_init(void);

/* A thread is about to be created (holding, stack_size, detached, start, argument are given): its record, for the calls
 * below. NULL where the lock or memory could not be had: counted untracked, and the acquisition undone. */
struct lt_program_thread *lt_program_thread_new(struct lt_thread *, const struct lt_program_thread *);

/* In the new thread, first thing. */
void lt_program_thread_runs(struct lt_program_thread *, int tid, uint64_t handle, uintptr_t stack);

/* The real call succeeded: where it has put the handle. The place is looked at only as long as the new thread has not
 * begun to run the program's code, which may free it. lt_program_thread_failed: it did not succeed; the record is given
 * up, and the acquisition undone. */
void lt_program_thread_created(struct lt_thread *, struct lt_program_thread *, const unsigned long *handle);
void lt_program_thread_failed(struct lt_thread *, struct lt_program_thread *);

/* Which thread `handle` is now. false, and a ticket that leads nowhere, where none is recorded. */
struct lt_program_thread_ticket {
    struct lt_program_thread *thread;
    uint32_t generation;
};
bool lt_program_thread_find(uint64_t handle, struct lt_program_thread_ticket *);

/* pthread_join and its like succeeded; pthread_detach succeeded. */
void lt_program_thread_joined(struct lt_thread *, const struct lt_program_thread_ticket *);
void lt_program_thread_detached(struct lt_thread *, const struct lt_program_thread_ticket *);

/* For the snapshot: the first record at or after number *i, copied, and its number put into *i; false after the last.
 * To go on: ++*i. */
bool lt_program_thread_next(uint32_t *i, struct lt_program_thread *);

/* For the snapshot: the detached thread of record number `i` has ended (the kernel does not know its tid). Counts its
 * release if the record is still the one `seen`. */
bool lt_program_thread_ended(uint32_t i, const struct lt_program_thread *seen);

/* For the snapshot: how many have vanished, since start or fork. Not before their handle is given out again. */
uint64_t lt_program_threads_vanished(void);

/* For the snapshot: the handle of a thread whose record has gone, at or after place *i, which becomes its place; false
 * after the last. To go on: ++*i. Of many threads not all are remembered. */
bool lt_program_thread_past(uint32_t *i, uint64_t *handle);

/* Has the handle remembered there, though there is no record: a thread of the library's own. */
void lt_program_thread_remember(uint64_t handle);

/* In a forked child, in its only thread: the others' records go, and what they held is nobody's. */
void lt_program_threads_forked(void);

#endif
