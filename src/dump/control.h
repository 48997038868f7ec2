/* The control page: how leaktrack-report asks a running process for a snapshot, without a signal. The other interface
 * between the two programs, next to the dump.
 *
 * One memfd of LT_CONTROL_SIZE bytes, sealed against growing and shrinking, named LT_CONTROL_NAME, mapped shared by the
 * process. The dump's header names its descriptor in that process (control_fd) and its inode. The program may have
 * moved the descriptor since: look at /proc/PID/fd/CONTROL_FD first and then at every other one for the inode.
 *
 * The asking side
 *   1. opens /proc/PID/fd/N read-write, maps LT_CONTROL_SIZE bytes shared, checks magic, version, pid and start_ticks
 *      (a fork child's descriptor still leads to its parent's page until it has a dump, and a page, of its own);
 *   2. ticket = lt_control_ask(page);
 *   3. waits until lt_control_answered(page, ticket), as long as it likes and as the process lives; *result* then tells
 *      how that snapshot went: 0 or a negative errno.
 * A program serves a request when one of its threads has its 32nd event since it last looked: an idle one serves none.
 * `beat_wall_ns` tells when it last looked (once a second at most), so that the waiting side can say so.
 *
 * Every field but the counters is fixed when the page is made. The totals are a seqlock's: they are right when
 * `totals_sequence` is even, and the same before and after reading them. The page is not trusted by either side: a
 * process of the same user can write anything into it, and all that may come of it is a snapshot too many. */
#ifndef LT_DUMP_CONTROL_H
#define LT_DUMP_CONTROL_H

#include "base/attrs.h"
#include "base/kind.h"

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

#define LT_CONTROL_NAME  "leaktrack-control" /* in /proc/PID/fd: "/memfd:leaktrack-control (deleted)" */
#define LT_CONTROL_MAGIC 0x4c52544b54524b4cull
enum { LT_CONTROL_VERSION = 1, LT_CONTROL_SIZE = 4096, LT_CONTROL_KINDS = 16 };

struct lt_control_totals {
    uint64_t acquired_count, acquired_bytes, released_count, released_bytes;
};

struct lt_control {
    uint64_t magic;   /* LT_CONTROL_MAGIC, in the machine's byte order */
    uint32_t version; /* LT_CONTROL_VERSION */
    uint32_t pid;     /* whose page it is, as that process sees itself */
    uint64_t start_ticks;

    uint32_t request;      /* raised by one for each wish */
    uint32_t acknowledged; /* the value of `request` that the last served snapshot answers */
    int32_t result;        /* of that snapshot */
    uint32_t snapshots;    /* completed so far, whatever their trigger */

    uint64_t beat_wall_ns; /* when the process last looked here, ns since the epoch, UTC */
    uint32_t totals_sequence;
    uint32_t reserved;
    struct lt_control_totals totals[LT_CONTROL_KINDS]; /* by enum lt_kind; up to a second old */
};
static_assert((int)LT_KIND_END <= (int)LT_CONTROL_KINDS, "every kind has its totals");
static_assert(sizeof(struct lt_control) == 568, "the page is an interface");

/* Asks for a snapshot; returns the ticket to wait for. */
static LT_ALWAYS_INLINE uint32_t lt_control_ask(struct lt_control *page) {
    return __atomic_add_fetch(&page->request, 1, __ATOMIC_ACQ_REL);
}

/* Whether the wish with this ticket (or a later one) has been served; page->result is then that snapshot's. */
static LT_ALWAYS_INLINE bool lt_control_answered(const struct lt_control *page, uint32_t ticket) {
    return (int32_t)(__atomic_load_n(&page->acknowledged, __ATOMIC_ACQUIRE) - ticket) >= 0;
}

/* The serving side: whether somebody waits. */
static LT_ALWAYS_INLINE bool lt_control_asked(const struct lt_control *page) {
    return __atomic_load_n(&page->request, __ATOMIC_RELAXED) != __atomic_load_n(&page->acknowledged, __ATOMIC_RELAXED);
}

#endif
