/* Resources other than heap blocks: descriptors, mappings, threads, timers. What an acquisition and a release of any of
 * them have in common is here: the call stack's site and the sums. What is held lies in a table of its own for each
 * (descriptors.h, mappings.h, program_threads.h, handles.h), which keeps the site and the time of birth.
 *
 * ORDER RULES as in track.h: an acquire is recorded after the real call, a release before it; a release whose real call
 * fails is put back. A site is counted before its resource can be found in a table.
 *
 * No malloc, no lock, no system call but arena growth; errno untouched. */
#ifndef LT_TRACK_RESOURCE_H
#define LT_TRACK_RESOURCE_H

#include "base/kind.h"
#include "dump/format.h"
#include "unwind/unwind.h"

#include <stdbool.h>
#include <stdint.h>

struct lt_thread;

/* What a table remembers of any resource. site 0: nobody knows the call stack (inherited). */
struct lt_holding {
    uint32_t site;  /* its number */
    uint32_t birth; /* lt_clock_cs() */
};

/* Captures the stack that starts at `from` and counts one acquisition of `size` bytes (0 for kinds without) at its
 * site. Guarded by the caller, like lt_acquire. Returns the flags of the stack (enum lt_stack_flag), or a negative
 * errno when it could not be recorded (it has been counted then, and *holding is left alone). */
int lt_resource_acquire(struct lt_thread *, enum lt_kind, uint64_t size, const struct lt_regs *from,
                        struct lt_holding *holding);

/* The real call, which was to come after the acquisition, failed: it has never been. By the thread that acquired. */
void lt_resource_undo(struct lt_thread *, const struct lt_holding *holding, uint64_t size);

/* Counts the release of `size` bytes that were acquired at holding->site, under the kind of that site; an inherited
 * holding is not counted. `count` is 1, but for a mapping that loses a piece 0, or -1 when it is cut in two: so that
 * acquired - released = live, in pieces and in bytes. Needs no guard; `thread` may be NULL. lt_resource_keep takes such
 * a release back: the real call failed. */
void lt_resource_release(struct lt_thread *, const struct lt_holding *holding, int64_t count, uint64_t size);
void lt_resource_keep(struct lt_thread *, const struct lt_holding *holding, int64_t count, uint64_t size);

/* The kind of a holding's site; 0 for an inherited one. */
enum lt_kind lt_holding_kind(const struct lt_holding *holding);

#endif
