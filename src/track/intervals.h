/* Disjoint half-open address ranges in order: a skip list (W. Pugh, CACM 33(6), 1990) in arena memory, whose nodes are
 * used again.
 *
 * Why a skip list. What is asked for is a neighbour and a run of neighbours (a range that is mapped over touches a run
 * of records), and level 0 is that run. There are no rotations: a node is linked from the bottom up and unlinked from
 * the top down, each step one store, so that the list is sound between any two stores. A fork child that came in the
 * middle of a change, or a thread that jumped out of one, leaves at worst a node that nobody uses again. A balanced
 * tree would have to be repaired. Expected work O(log n), a quarter of the nodes on each level above the last;
 * 65,530 mappings, which is what the kernel grants, need 8 levels.
 *
 * The caller holds a lock. errno untouched. */
#ifndef LT_TRACK_INTERVALS_H
#define LT_TRACK_INTERVALS_H

#include "track/mappings.h"

#include <stdint.h>

enum { LT_INTERVAL_LEVELS = 12 };

struct lt_interval {
    struct lt_mapping mapping;
    uint32_t height; /* links in use */
    uint32_t next[]; /* arena refs; the last one is 0 */
};

/* All zeros: empty. */
struct lt_intervals {
    uint32_t first[LT_INTERVAL_LEVELS];      /* arena refs */
    uint32_t unused[LT_INTERVAL_LEVELS + 1]; /* nodes to be used again, by height */
    uint32_t random;
};

/* The first one that ends above `address`, NULL after the last; and the one behind. */
struct lt_interval *lt_intervals_at(struct lt_intervals *, uintptr_t address);
struct lt_interval *lt_intervals_after(const struct lt_interval *);

/* Inserts a range in which nothing lies; NULL where no memory is left. */
struct lt_interval *lt_intervals_insert(struct lt_intervals *, const struct lt_mapping *);

/* Takes it out. A range may be shortened in place instead: its start raised, its end lowered, or its end raised up to
 * the next one's start. */
void lt_intervals_remove(struct lt_intervals *, struct lt_interval *);

/* A node that stands in no list, for a chain of the caller's by its next[0]; NULL where no memory is left. And back. */
struct lt_interval *lt_intervals_spare(struct lt_intervals *, const struct lt_mapping *);
void lt_intervals_give_back(struct lt_intervals *, struct lt_interval *);

#endif
