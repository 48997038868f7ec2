/* The picture of what the kernel says this process holds, reconciled with the tables: taken once in every snapshot,
 * before the sites are collected. docs/design/resources.md has the rules.
 *
 *   descriptors
 *         the list is one pass over the directory of descriptors. Listed and unknown: unattributed. Recorded and not
 *         listed: dropped and counted *vanished*, if the record is older than the pass and the kernel denies it once
 *         more. A record whose type contradicts the kernel's: vanished, and unattributed.
 *
 *   mappings
 *         the same with the maps, piece by piece.
 *
 *   threads
 *         the same with the list of tasks; a thread that ended and was neither joined nor detached has no task.
 *
 * A helper thread has a descriptor table of its own (dumper.c): what the program has open is listed under a thread that
 * shares the program's. The library's own descriptors, threads and mappings are left out of the counts (mappings are
 * listed, as the library's own). Without /proc nothing can be reconciled: the rows are those of the tables, and the
 * dump says so. Raw system calls, arena and scratch memory only. */
#ifndef LT_TRACK_PICTURE_H
#define LT_TRACK_PICTURE_H

#include "base/status.h"
#include "dump/writer.h"
#include "track/tally.h"

#include <stdbool.h>
#include <stdint.h>

/* Notes what is mapped now. Once, at the start, while only the loader has run: before the library maps anything. */
void lt_picture_start(void);

struct lt_picture_options {
    uint32_t kinds;     /* bit n: kind n is tracked, and shown */
    int program_tid;    /* a thread whose descriptor table is the program's; 0: the calling thread's own is; -1: none
                         * is known */
    const int *own_fds; /* the library's own descriptors, in that table; `own_fd_count` of them */
    unsigned own_fd_count;
    const int *own_tids; /* the library's own threads */
    unsigned own_tid_count;
};

/* Looks at the kernel's lists, repairs the tables, and adds what is live to the tally. The caller holds the snapshot
 * lock. */
void lt_picture_take(const struct lt_picture_options *, struct lt_tally *);

/* Writes DESCRIPTORS, MAPPINGS, THREADS and MISUSES. After lt_dictionary_write; and the readings of the kernel
 * (LT_COUNTER_KERNEL) as rows of the COUNTERS section that is open: returns how many. */
LT_STATUS lt_picture_write(struct lt_writer *);
uint32_t lt_picture_put_counters(struct lt_writer *);

/* Gives back what it took. */
void lt_picture_free(void);

/* Vanished so far in this process, by kind: in the counters, and zeroed in a forked child. */
void lt_picture_forked(void);

#endif
