/* Writes what is outstanding into the dump file. Runs by raw system calls and arena or scratch memory only, on whatever
 * stack it is called on (less than 4 KiB of it); other threads go on acquiring and releasing meanwhile. */
#ifndef LT_TRACK_SNAPSHOT_H
#define LT_TRACK_SNAPSHOT_H

#include "base/status.h"
#include "dump/format.h"
#include "track/dump_file.h"
#include "track/picture.h"

#include <stdbool.h>
#include <stdint.h>

struct lt_snapshot_options {
    bool blocks;    /* LEAKTRACK_BLOCKS: every live block, not only sites */
    uint32_t flags; /* enum lt_snapshot_flag */
    struct lt_picture_options picture;
};

/* Takes one snapshot: opens or repairs the file, writes dictionary additions, totals, sites and counters, and END. One
 * writer at a time: the caller holds the snapshot lock (below). Returns 0 or the negative errno of what failed; then
 * the file still ends with the last good snapshot and nothing of the dictionaries is lost: the next call writes it
 * again. */
LT_STATUS lt_snapshot_take(struct lt_dump_file *, enum lt_trigger, const struct lt_snapshot_options *);

/* The snapshot lock: a compare-and-swap with owner tid and pid. try: 0, or -EBUSY when another living thread of this
 * process holds it; an owner with another pid is stale (fork) and is replaced, as is the calling thread itself
 * (-EDEADLK is never waited for: a thread that already holds it gets -EDEADLK). */
LT_STATUS lt_snapshot_try_lock(void);
void lt_snapshot_hand_over(int tid); /* the lock now belongs to thread `tid` of this process */
void lt_snapshot_unlock(void);

/* Snapshots completed, the wall-clock time and duration of the last one. */
struct lt_snapshot_stats {
    uint32_t completed, failed;
    uint64_t last_wall_ns, last_duration_ns;
};
void lt_snapshot_stats(struct lt_snapshot_stats *);

/* In a forked child, before anything is written there: no snapshot has been taken, nobody holds the lock. Called by
 * lt_track_forked; lt_dump_file_forked must follow, since the parent's dictionaries are forgotten here. */
void lt_snapshot_forked(void);

#endif
