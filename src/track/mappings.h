/* The interval map of the address ranges that the program mapped: disjoint, half-open, in whole pages. An acquire over
 * a live range replaces that part of it (MAP_FIXED), a release may take a piece out of the middle (munmap), so a record
 * can become two with the same site and birth, and the sizes that are released are those of the pieces.
 *
 * Order in time: the program may unmap in one thread what another maps the moment after, at the same address. So a
 * release is recorded before the real call, an acquire after it, as everywhere.
 *
 * Protection is not recorded: mprotect changes no record, the kernel's word at the snapshot counts.
 *
 * Under a lock of its own (table_lock.h): who can't get it counts the event untracked, and the next snapshot repairs
 * the map from the kernel's list. O(log n) work for a call that touches one record, and as much for each further one
 * (intervals.h). Arena memory only; records that are gone are used again. errno untouched.
 *
 * acquired - released = live holds in pieces and in bytes: a cut in two counts -1 released piece (resource.h). What was
 * acquired and could not be put is counted as released again. */
#ifndef LT_TRACK_MAPPINGS_H
#define LT_TRACK_MAPPINGS_H

#include "base/status.h"
#include "track/resource.h"

#include <stdbool.h>
#include <stdint.h>

struct lt_mapping {
    uintptr_t start, end; /* half-open, whole pages */
    struct lt_holding holding;
    uintptr_t attached; /* by shmat: where its segment begins, or began (shmdt takes all that is left); 0 otherwise */
    uint32_t serial;    /* of the acquisition, equal for its pieces; private */
    uint8_t origin;     /* enum lt_origin: CALL, or INHERITED in a forked child */
    bool anonymous;     /* private and of no file: if the kernel shows a file there, somebody has mapped over it */
};

/* Once, after lt_arena_init. */
LT_STATUS lt_mappings_init(void);

/* [start, end) is held from now on. What was recorded in it is replaced, and its release counted (`thread` may be NULL:
 * lt_resource_release) as one that was missed. false where the lock or memory could not be had: counted untracked. */
bool lt_mapping_put(struct lt_thread *, const struct lt_mapping *);

/* What a real call is about to take away, so that it can be put back where that fails. Count 0 is empty. */
enum { LT_MAPPING_FIRST = 4, LT_MAPPING_LOOK_AT = 64 };
struct lt_mappings_taken {
    unsigned count;
    struct lt_mapping first[LT_MAPPING_FIRST];
    uint32_t rest; /* arena ref of a chain of records; private */
};

/* Takes [start, end) out, counts the releases, and adds the pieces that were recorded there to `taken`. */
void lt_mapping_take(struct lt_thread *, uintptr_t start, uintptr_t end, struct lt_mappings_taken *taken);

/* The same for what is left of the segment that was attached at `start` (shmdt): what can be found of it among the next
 * LT_MAPPING_LOOK_AT records. */
void lt_mapping_take_attached(struct lt_thread *, uintptr_t start, struct lt_mappings_taken *taken);

/* Afterwards, one of the two. gone: the real call succeeded. put_back: it failed; what was taken is held again, and its
 * release was none. Pieces grow together with what was left of their acquisition; what has been recorded there
 * meanwhile stays. */
void lt_mapping_gone(struct lt_mappings_taken *taken);
void lt_mapping_put_back(struct lt_thread *, struct lt_mappings_taken *taken);

/* The record that holds `address`; false where there is none (or the lock could not be had). */
bool lt_mapping_at(uintptr_t address, struct lt_mapping *);

/* For the snapshot, which holds no lock meanwhile: the first record that ends above `address`; false after the last. */
bool lt_mapping_next(uintptr_t address, struct lt_mapping *);

/* For the snapshot: the kernel has nothing (or something else) at [start, end), which it saw in the record `seen`.
 * Takes out of that part what is still the same acquisition's, and counts the release; false where that is nothing. */
bool lt_mapping_vanished(uintptr_t start, uintptr_t end, const struct lt_mapping *seen);

/* In a forked child: the lock is free. Every record is inherited from now on. */
void lt_mappings_forked(void);

#endif
