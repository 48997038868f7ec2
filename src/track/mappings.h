/* The interval map of the address ranges that the program mapped: disjoint, half-open, in whole pages. An acquire over
 * a live range replaces that part of it (MAP_FIXED), a release may take a piece out of the middle (munmap), so a record
 * can become two with the same site and birth, and the sizes that are released are those of the pieces.
 *
 * Order in time: the program may unmap in one thread what another maps the moment after, at the same address. So a
 * release is recorded before the real call, an acquire after it, as everywhere.
 *
 * One private futex lock, owner tid and pid, only *tried* with a bounded patience, never held over a real call or
 * another lock, never shared with the heap hooks; free in a forked child. Who can't get it counts the event untracked
 * and marks the map *dirty*: the next snapshot repairs it from the kernel's list. Nested entry by a signal handler of
 * the thread that holds it is refused in the same way. O(log n) work for a call that touches one record. Arena memory
 * only; records that are gone are used again. errno untouched. */
#ifndef LT_TRACK_MAPPINGS_H
#define LT_TRACK_MAPPINGS_H

#include "base/status.h"
#include "track/resource.h"

#include <stdbool.h>
#include <stdint.h>

struct lt_mapping {
    uintptr_t start, end; /* half-open, whole pages */
    struct lt_holding holding;
    uint8_t origin; /* enum lt_origin: CALL, or INHERITED in a forked child */
    bool shm;       /* by shmat: shmdt takes it as one, however it was cut */
};

/* Reserves the root. Once, after lt_arena_init. */
LT_STATUS lt_mappings_init(void);

/* [start, end) is held from now on. What was recorded in it is replaced, and its release counted (`thread` may be NULL:
 * lt_resource_release). false where the lock or memory could not be had: counted untracked. */
bool lt_mapping_put(struct lt_thread *, const struct lt_mapping *);

/* Takes [start, end) out and counts the releases. Puts the pieces that were recorded there into `taken` (room for
 * `capacity`), so that a failed real call can put them back; returns how many there were. More than capacity: only the
 * first ones can be put back; the next snapshot repairs the rest. */
unsigned lt_mapping_take(struct lt_thread *, uintptr_t start, uintptr_t end, struct lt_mapping *taken,
                         unsigned capacity);

/* The real call failed: what lt_mapping_take gave is held again, and its release was none. */
void lt_mapping_put_back(struct lt_thread *, const struct lt_mapping *taken, unsigned count);

/* The record that holds `address`; false where there is none (or the lock could not be had). */
bool lt_mapping_at(uintptr_t address, struct lt_mapping *);

/* For the snapshot, which holds no lock meanwhile: the first record that ends above `address`; false after the last. */
bool lt_mapping_next(uintptr_t address, struct lt_mapping *);

/* For the snapshot: the kernel has nothing (or something else) at [start, end), which it saw in the record `seen`.
 * Takes that part out if the record there is still the same one (site and birth). */
bool lt_mapping_vanished(uintptr_t start, uintptr_t end, const struct lt_mapping *seen);

/* In a forked child: the lock is free, every record becomes inherited. */
void lt_mappings_forked(void);

#endif
