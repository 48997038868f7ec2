/* os: the only room that makes system calls.
 *
 * One contract for all of it: results are 0 or a negative errno, errno itself is never touched, nothing allocates
 * through malloc, nothing is a cancellation point, everything may be called from any thread and from a signal handler
 * unless it says otherwise. System calls are raw, so that no hook of ours, and of nobody else's, sees them.
 *
 *   syscall.h   lt_syscall0..6: the raw instruction            arena.h   the tracker's one memory
 *   sandbox.h   calls that the program's seccomp filters forbid
 *   memory.h    mappings outside the arena (scratch)           file.h    files: whole writes, identity, locks, holes
 *   clock.h     coarse and wall clocks                         proc.h    what /proc says of this process
 *   fd_list.h     open descriptors                         socket_list.h  sockets: state, addresses, queues
 *   task_list.h   threads                                  limits.h       how many of each there may be
 *   cgroup.h      memory of the control group              resident.h     memory of the process
 *   task.h      thread and process ids, "is this tid alive", futex sleep
 *   vdso.h      the kernel's clock functions                   arch_*.h  what a CPU architecture supplies, by arch.h */
#ifndef LT_OS_OS_H
#define LT_OS_OS_H

#include "os/arena.h"
#include "os/clock.h"
#include "os/file.h"
#include "os/memory.h"
#include "os/proc.h"
#include "os/task.h"

#endif
