/* A preloaded library's destructor runs before those of the libraries it does not depend on, so what they are about to
 * free would be called a leak; -z initfirst does not change that. But exit(3) runs handlers that are registered while
 * it is under way, after the handler that registers them returns; and that one is the loader's pass over all
 * destructors. So our destructor registers the snapshot, and it comes after the last of them. (glibc 2.36,
 * stdlib/exit.c and elf/dl-fini.c; tests/programs/exit_after_other_destructors.c watches it.) */
#include "preload/last.h"

#include "preload/children.h"
#include "preload/dumper.h"
#include "preload/life.h"
#include "preload/log.h"
#include "preload/options.h"
#include "preload/output.h"
#include "preload/process.h"

#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>

static const uint64_t patience_ns = 1000 * 1000 * 1000; /* for another thread's snapshot */

static _Atomic bool ended;

int __cxa_atexit(void (*handler)(void *), void *argument, void *library);
int __cxa_at_quick_exit(void (*handler)(void *), void *library);

static void at_exit(void *unused) {
    (void)unused;
    lt_life_exit();
}

/* With a NULL library the handler belongs to the executable: no dlclose runs it. */
static __attribute__((destructor)) void end(void) {
    if (lt_state == LT_STATE_ON && __cxa_atexit(at_exit, NULL, NULL) != 0)
        lt_life_exit();
}

void lt_last_start(void) {
    (void)!__cxa_at_quick_exit(at_exit, NULL);
}

void lt_last_forked(void) {
    ended = false;
}

/* Whether the calling process is the one to write, and not in its parent's memory. */
static bool may_write(void) {
    if (lt_state != LT_STATE_ON || lt_options.dumper == LT_DUMPER_OFF)
        return false;
    const enum lt_whose whose = lt_process_whose();
    if (whose == LT_COPIED_MEMORY)
        lt_life_forked();
    return whose != LT_PARENTS_MEMORY && lt_state == LT_STATE_ON;
}

static void write_last(enum lt_trigger trigger) {
    const struct lt_job job = {.trigger = trigger, .flags = LT_SNAPSHOT_LAST};
    int status = lt_dumper_run_here(&job, patience_ns);
    if (status == -EBUSY)
        lt_log("no last snapshot: another thread's was not done within a second", NULL, 0);
}

void lt_life_exit(void) {
    const int saved = errno;
    if (may_write() && !atomic_exchange(&ended, true) && (lt_output_begun() || lt_own_acquires()))
        write_last(LT_TRIGGER_EXIT);
    errno = saved;
}

void lt_life_exec_begin(void) {
    const int saved = errno;
    if (may_write() && lt_output_begun())
        write_last(LT_TRIGGER_EXEC);
    errno = saved;
}

void lt_life_exec_failed(void) {}
