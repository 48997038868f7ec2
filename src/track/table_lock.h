/* The lock of a table that is too entangled for lock-free words: mappings, threads, handles. One per table, shared with
 * nothing else, held for a few hundred nanoseconds, never over a real call or another lock.
 *
 * It is only *tried*. Who finds it taken waits, asleep, a second at most; who waited in vain marks it, and
 * nobody waits again until its holder is back: a garbage collector that has stopped the holder by a signal loses that
 * once, and not with every call. A signal handler of the holder is refused at once. A holder that has left by a
 * jump out of a signal handler, or has died, loses the lock to the next one; therefore a table that is guarded by it
 * must be sound between any two stores.
 *
 * Any thread, any signal handler, errno untouched. */
#ifndef LT_TRACK_TABLE_LOCK_H
#define LT_TRACK_TABLE_LOCK_H

#include "base/attrs.h"

#include <stdbool.h>
#include <stdint.h>

/* All zeros: free. */
struct lt_table_lock {
    uint32_t word; /* tid of the holder and two marks; 0 free; a futex */
    int pid;       /* of the process whose tids these are; 0 unknown */
    uintptr_t sp;  /* of the holder's frame; 0 while it comes and goes */
};

/* false: not to be had, and an event has been counted untracked. */
LT_WARN_UNUSED bool lt_table_lock(struct lt_table_lock *);
void lt_table_unlock(struct lt_table_lock *);

/* The lock is free and belongs to this process: at the start, and in a forked child, by its only thread. */
void lt_table_lock_reset(struct lt_table_lock *);

#endif
