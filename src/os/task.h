/* Processes and threads as the kernel counts them. */
#ifndef LT_OS_TASK_H
#define LT_OS_TASK_H

#include "base/status.h"

#include <stdbool.h>
#include <stdint.h>

int lt_getpid(void); /* the kernel's answer, never cached: right in a vfork or fork child */
int lt_gettid(void);
uint32_t lt_geteuid(void); /* the calling thread's */

/* Whether thread `tid` of this process still exists (tgkill with signal 0; anything but ESRCH counts as alive). */
bool lt_tid_alive(int tid);
bool lt_pid_alive(int pid); /* kill(pid, 0): EPERM counts as alive */

int lt_getppid(void);

/* Blocks every signal of the calling thread, glibc's own two included, so that no handler of the program runs in the
 * midst of the library's work; gives the mask to be restored. For bounded work only: setuid() in another thread waits.
 */
uint64_t lt_signals_block(void);
void lt_signals_restore(uint64_t mask);

/* The name that top and gdb show for the calling thread, at most 15 bytes. */
void lt_name_thread(const char *name);

/* Whether the main thread has left by itself (pthread_exit) while others go on; false where /proc is not there. */
bool lt_main_thread_left(void);

/* Number of threads of this process now, from the link count of /proc/thread-self/../ (any thread, raw clones
 * included; a main thread that has left counts until the process ends); 0 where /proc is not there. */
uint32_t lt_thread_count(void);

/* Whether the thread runs on its alternate signal stack (sigaltstack); with SS_AUTODISARM the kernel does not know. */
bool lt_on_signal_stack(void);

/* Sleeps for `ns` nanoseconds at most; may return early. */
void lt_sleep_ns(uint64_t ns);

/* Futex on a 32-bit word of this process. lt_futex_wait returns when woken, on timeout (0 = none), or at once where
 * *word != expected. */
void lt_futex_wait(const uint32_t *word, uint32_t expected, uint64_t timeout_ns);
void lt_futex_wake(const uint32_t *word, uint32_t how_many);

#endif
