/* System calls that would be the program's death. A program may put itself into a seccomp sandbox that kills it (or
 * calls its SIGSYS handler) for what it never does itself, such as writing a dump. So the sandboxes that it enters are
 * remembered, and every raw system call of this library asks them first: what they would not let through, or answer
 * with an errno, is not made and gives -EPERM. Costs nothing before the first sandbox.
 *
 * A sandbox that was there before the program started (a container's, a service manager's) is not known; those are made
 * for programs that do what programs do. One that a single thread enters counts for all. */
#ifndef LT_OS_SANDBOX_H
#define LT_OS_SANDBOX_H

#include <stdbool.h>
#include <stdint.h>

/* The process has entered SECCOMP_MODE_STRICT, or has installed a filter: `program` is its struct sock_fprog. */
void lt_sandbox_strict(void);
void lt_sandbox_filter(const void *program);

/* Whether either has been called. */
extern bool lt_sandboxed;

/* What a filter of `length` instructions (struct sock_filter) says to a call (struct seccomp_data): SECCOMP_RET_...
 * with its data. For tests. */
uint32_t lt_sandbox_verdict(const void *code, uint32_t length, const void *call);

#endif
