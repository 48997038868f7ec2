/* Where a snapshot runs.
 *
 *   here      in the calling thread, on the library's own stack, all signals blocked: where the process has one thread,
 * where there is no later (exit, exec), and where it was asked for (leaktrack_dump); helper    a thread that lives as
 * long as the snapshot: where the process has several threads, so that none of the program's stands still. It has a
 * descriptor table of its own and blocks all signals but glibc's two; resident  one helper that stays:
 * LEAKTRACK_DUMPER=thread, and where the Go runtime is in the process.
 *
 * One snapshot at a time: all of them hold the snapshot lock (track/snapshot.h). errno is kept by every function. */
#ifndef LT_PRELOAD_DUMPER_H
#define LT_PRELOAD_DUMPER_H

#include "base/status.h"
#include "dump/format.h"

#include <stdbool.h>
#include <stdint.h>

struct lt_job {
    enum lt_trigger trigger;
    uint32_t flags; /* enum lt_snapshot_flag */
};

/* Takes the own stack from the arena and, where a resident helper is wanted, starts it. From the constructor. */
void lt_dumper_start(void);

/* Takes a snapshot here. Where another thread is writing one, waits for up to `patience_ns` and then gives -EBUSY;
 * -EDEADLK where this thread is (a signal handler that calls _exit). */
LT_STATUS lt_dumper_run_here(const struct lt_job *, uint64_t patience_ns);

/* Gets a snapshot taken at the right place: here, by a helper, or by the resident helper (which knows by itself when,
 * and is only started if it is not there). Returns once it is under way, or done. -EBUSY: another one is. Where the
 * kernel grants no thread the snapshot runs here: a program that leaks threads needs it most. */
LT_STATUS lt_dumper_dispatch(const struct lt_job *);

/* Whether a resident helper looks at the clock and at the control page, so that ticks need not. */
bool lt_dumper_is_resident(void);

/* Returns when no thread of the library's is in the process any more (or ten seconds are over: a disk that hangs). A
 * resident helper is back with the next dispatch. Before unshare(2) and setns(2), which want a single thread. */
void lt_dumper_withdraw(void);

/* The main thread is about to leave by pthread_exit: withdraws, and from now on every snapshot runs here. glibc lets
 * the last thread run the exit handlers, and a helper has not the program's descriptors. */
void lt_dumper_main_thread_leaves(void);

/* In a fork child: there is no helper. */
void lt_dumper_forked(void);

/* The program uses mq_notify, which the close of a copied descriptor would undo: helpers share the descriptor table. */
void lt_dumper_share_descriptors(void);

#endif
