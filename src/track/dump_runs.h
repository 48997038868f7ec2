/* Which parts of the dump belong to which snapshot: what thinning may turn into holes, and which snapshot goes next.
 *
 * A run is a stretch of adjacent sections of one snapshot, without dictionary sections, which stay for ever. A hole is
 * a run of no snapshot; it is remembered only while a neighbour may still be merged into it. Pure but for lt_pages. */
#ifndef LT_TRACK_DUMP_RUNS_H
#define LT_TRACK_DUMP_RUNS_H

#include <stdbool.h>
#include <stdint.h>

struct lt_dump_run {
    uint64_t offset, length; /* in the file, bytes */
    uint32_t snapshot;       /* 1, 2 ... in file order; 0 = a hole */
    uint32_t time_cs;        /* of its commit */
};

struct lt_dump_runs {
    struct lt_dump_run *items; /* in file order; NULL until the first */
    uint32_t count, capacity;
    uint32_t pending;   /* of them, at the end: those of the snapshot that is being written */
    uint32_t snapshots; /* committed ones */
    uint32_t number;    /* of the one being written, minus 1 */
    uint64_t bytes;     /* of the committed ones that are no holes */
};

enum { LT_RUNS_MAX = 1 << 14 };

/* Notes a section of the snapshot being written; false where there is no room for another run: that snapshot will never
 * be thinned as a whole. */
bool lt_runs_add(struct lt_dump_runs *, uint64_t offset, uint64_t length);

/* Bytes noted since the last commit. */
uint64_t lt_runs_pending_bytes(const struct lt_dump_runs *);

void lt_runs_commit(struct lt_dump_runs *, uint32_t time_cs);
void lt_runs_rollback(struct lt_dump_runs *);

/* The snapshot whose loss tells least: the one with the shortest time between its neighbours, so that those kept stay
 * evenly spread; then the first of all; never the newest. 0 = none left. */
uint32_t lt_runs_victim(const struct lt_dump_runs *);

/* Turns one run of `snapshot` into a hole, merged with holes that touch it, and gives that; false when it has no run
 * left. */
bool lt_runs_thin(struct lt_dump_runs *, uint32_t snapshot, struct lt_dump_run *hole);

/* Forgets all; the memory stays for the next file. */
void lt_runs_clear(struct lt_dump_runs *);

#endif
