/* Calls that release what is not the caller's to release: a second close of a descriptor, the close of one that belongs
 * to a stream, to a directory stream, or to this library. Each is counted with the call stack of the call and, where
 * known, the site that had acquired the descriptor. A small table of fixed size; what does not fit is counted without a
 * stack. Lock-free, any thread; errno untouched. */
#ifndef LT_TRACK_MISUSES_H
#define LT_TRACK_MISUSES_H

#include "base/status.h"
#include "dump/format.h"
#include "track/resource.h"

#include <stdbool.h>
#include <stdint.h>

struct lt_misuse {
    uint32_t what;   /* enum lt_misuse_what, 0 = the row is not used */
    uint32_t site;   /* number: the call's stack, as a site that has acquired nothing */
    uint32_t opener; /* number of the site that had acquired the descriptor, 0 unknown */
    uint64_t count;
    int last_fd;
};

/* Once, after lt_arena_init; what comes before is counted without a stack. */
LT_STATUS lt_misuses_init(void);

/* Guarded by the caller, like lt_acquire. */
void lt_misuse_record(struct lt_thread *, enum lt_misuse_what, int fd, uint32_t opener, const struct lt_regs *from);

/* For the snapshot: row i as it is now; false after the last. How many were counted without a stack. */
bool lt_misuse_row(uint32_t i, struct lt_misuse *);
uint64_t lt_misuses_without_stack(void);

/* In a forked child: from zero. */
void lt_misuses_forked(void);

#endif
