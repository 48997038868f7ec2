/* The way of a descriptor from a hook into its table (track/descriptors.h). HOT PATH: no malloc, no lock, no system
 * call of its own but where it says so; errno is never touched.
 *
 * Order: acquired after the real call, released before it and *kept* where that fails. So no other thread can have got
 * the number in between. Where one call closes many (close_range) the kernel is asked afterwards, and the records that
 * it denies go by compare-and-swap.
 *
 * Nothing is recorded of a thread whose descriptor table is not the program's: in a vfork child or another process that
 * shares this memory alone, after unshare(CLONE_FILES), in the library's own threads. */
#ifndef LT_PRELOAD_DESCRIPTOR_H
#define LT_PRELOAD_DESCRIPTOR_H

#include "base/kind.h"
#include "dump/format.h"
#include "track/descriptors.h"

#include <stdbool.h>

/* Whether it is the library's own, in the program's table: a call on it answers as for a number that is not open. One
 * comparison for any other number. */
bool lt_fd_is_ours(int fd);

/* `fd` was acquired by the stack that starts at `from`; nothing if it is negative (the call failed). Returns `fd`. */
int lt_fd_acquired(int fd, enum lt_kind, const struct lt_regs *from);
void lt_fd_acquired_via(int fd, enum lt_kind, enum lt_via, const struct lt_regs *from);

/* Another number for what is open at `source`; `via` is what already stood between the program and `fd`. The kernel is
 * asked what it is where `source` is not recorded. */
void lt_fd_duplicated(int source, int fd, enum lt_via via, const struct lt_regs *from);

/* `fd` came in a message, or out of another process. Asks the kernel what it is. */
void lt_fd_received(int fd, const struct lt_regs *from);

/* `fd` is about to be closed: takes its record and counts the release. Whether there was one. */
bool lt_fd_released(int fd, struct lt_descriptor *released);

/* The same where nothing stands between the program and `fd`, so that there is nothing to be judged after its close;
 * else nothing has happened, and false. */
bool lt_fd_simply_released(int fd);

/* The close failed: the record is there again, unless the number has had another one since. */
void lt_fd_kept(int fd, const struct lt_descriptor *released);

/* Whoever closes `fd` now ought to do it by its FILE or DIR. */
void lt_fd_goes_via(int fd, enum lt_via);

/* A close that has failed with `error` (0: it has not), of a number that `held` was recorded for (NULL: nothing was):
 * counts it where it is a misuse. lt_fd_refused: of the library's own number. */
void lt_fd_judge_close(int fd, int error, const struct lt_descriptor *held, const struct lt_regs *from);
void lt_fd_refused(int fd, const struct lt_regs *from);

/* The kernel was told to close [first, last]: asks it which of the recorded ones are gone. One system call each. */
void lt_fd_range_released(unsigned first, unsigned last);

/* libc has put other descriptors in the place of 0, 1 and 2: copies of `source`, or of one that is unknown (-1). */
void lt_fd_standard_streams_replaced(int source, const struct lt_regs *from);

/* The calling thread has its own descriptor table from now on, if the process has other threads. */
void lt_fd_table_unshared(void);

/* Records as inherited what is open and not recorded. Once, at start; a pass over the kernel's list. */
void lt_fd_inherited(void);

#endif
