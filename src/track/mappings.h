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
    uint64_t attached; /* by shmat: the bytes that were attached (shmdt takes all that is left of them); 0 otherwise */
    uint32_t serial;   /* of the acquisition, equal for its pieces; private */
    uint8_t origin;    /* enum lt_origin: CALL, or INHERITED in a forked child */
    bool anonymous;    /* private and of no file: if the kernel shows a file there, somebody has mapped over it */
};

/* Once, after lt_arena_init. */
LT_STATUS lt_mappings_init(void);

/* [start, end) is held from now on. What was recorded in it is replaced, and its release counted (`thread` may be NULL:
 * lt_resource_release) as one that was missed. false where the lock or memory could not be had: counted untracked. */
bool lt_mapping_put(struct lt_thread *, const struct lt_mapping *);

/* Takes [start, end) out and counts the releases. Puts the pieces that were recorded there into `taken` (room for
 * `capacity`), so that a failed real call can put them back; returns how many there were. More than capacity: only the
 * first ones can be put back; the next snapshot repairs the rest. */
unsigned lt_mapping_take(struct lt_thread *, uintptr_t start, uintptr_t end, struct lt_mapping *taken,
                         unsigned capacity);

/* The same for what is left of the segment that was attached at `start` (shmdt). */
unsigned lt_mapping_take_attached(struct lt_thread *, uintptr_t start, struct lt_mapping *taken, unsigned capacity);

/* The real call failed: what a take gave is held again, and its release was none. `count` as returned, or less; pieces
 * grow together with what was left of their acquisition. What has been recorded there meanwhile stays. */
void lt_mapping_put_back(struct lt_thread *, const struct lt_mapping *taken, unsigned count);

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
