/* The library's life in the process: start, fork, exec, exit, and when and where a snapshot runs. The contract is the
 * architecture's "Process life" and "When and where a snapshot runs".
 *
 * State. Until lt_start() has finished, events pass through untracked (counted BEFORE_START). It goes:
 *
 *     RAW ── first hooked call ──► STARTING ──► ON          OFF: a no-op that says why (sanitizers, the executable
 * brings └────► OFF         its own malloc, no memory, AT_SECURE, LEAKTRACK_CHILDREN)
 *
 * lt_start() needs no constructor and no environment functions: the first malloc comes from the loader, before libc's
 * own initialisation. What needs a working libc or the file system waits for the constructor (lt_life_constructor). */
#ifndef LT_PRELOAD_LIFE_H
#define LT_PRELOAD_LIFE_H

#include "base/attrs.h"
#include "dump/format.h"
#include "track/track.h"

#include <stdbool.h>
#include <stdint.h>

enum lt_state { LT_STATE_RAW, LT_STATE_STARTING, LT_STATE_ON, LT_STATE_OFF };
extern _Atomic uint32_t lt_state; /* enum lt_state */

/* Resolves the real functions, reads the options, reserves the tables. Idempotent, thread-safe; returns whether the
 * library is ON. A caller that arrives while another thread (or this one, further out) is STARTING gets false. */
bool lt_start(void);

/* The tick: called inside the guard by every 32nd acquire of a block by a thread, and by one acquire of a descriptor,
 * thread or timer in each hundredth of a second, after it was recorded. `stack_flags` are those
 * of the stack just captured; negative: it was not recorded (no memory for the tables), nobody knows what is on the
 * stack. Reads the coarse clock, looks at the control page, and starts a snapshot when one is due and the event is safe
 * (no signal frame, no loader frame on its stack): inline on the library's own stack where the process has one thread,
 * or where the stack is not known, else by a short-lived helper. The next event may be made to tick
 * (lt_tick_at_next).
 */
void lt_tick(int stack_flags);

/* Snapshot on behalf of leaktrack_dump(): in the calling thread, on the library's own stack. 0 or a negative errno. */
LT_STATUS lt_snapshot_now(enum lt_trigger);

/* Last snapshots. lt_life_exit: the process is about to end (exit handlers, _exit, quick_exit); runs once per process.
 * lt_life_exec: before execve and its family; if the exec fails the process goes on as before. */
void lt_life_exit(void);
void lt_life_exec(void);

/* Before the program enters a seccomp sandbox: a snapshot, in case it is the last that the sandbox lets us take. */
void lt_life_before_sandbox(void);

/* In a fork child, first thing. */
void lt_life_forked(void);

/* Whether this thread runs in a vfork child, i.e. in the parent's memory but with another pid: compares the kernel's
 * pid with the recorded one if the thread-local flag is set, and clears the flag once back in the parent. */
bool lt_in_vfork_child(void);

/* One line for people in the next dump ("note"), e.g. why heap tracking is off. `text` must live forever. */
void lt_life_note(const char *text);

#endif
