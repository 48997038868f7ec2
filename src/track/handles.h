/* Resources that are known by a handle which is neither an address of the heap nor a descriptor: timers (timer_t), and
 * streams without a descriptor (the FILE of fmemopen and open_memstream). Few and rarely changed: one small table, in
 * arena memory, under a lock of its own (table_lock.h). errno untouched. */
#ifndef LT_TRACK_HANDLES_H
#define LT_TRACK_HANDLES_H

#include "base/status.h"
#include "track/resource.h"

#include <stdbool.h>
#include <stdint.h>

struct lt_handle {
    uint64_t handle;
    struct lt_holding holding;
    uint8_t kind; /* LT_KIND_TIMER or LT_KIND_STREAM */
    bool inherited;
};

LT_STATUS lt_handles_init(void);

/* Held from now on. An equal one is replaced, and its release counted: it was missed. false, and counted untracked and
 * as released again, where the lock or memory could not be had. */
bool lt_handle_put(const struct lt_handle *);

/* Takes it out; false where it is not recorded. The caller counts the release (lt_resource_release with count 1, size
 * 0); after one that failed it takes that back (lt_resource_keep) and lt_handle_put puts the handle back. */
bool lt_handle_take(enum lt_kind, uint64_t handle, struct lt_handle *taken);

/* For the snapshot: the first record in use at or after number *i, copied, and its number put into *i; false after the
 * last. To go on: ++*i. */
bool lt_handle_next(uint32_t *i, struct lt_handle *);

/* In a forked child: timers are not inherited (timer_create(2)) and go; streams are inherited. */
void lt_handles_forked(void);

#endif
