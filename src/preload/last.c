/* A preloaded library's destructor runs before those of the libraries it does not depend on, so what they are about to
 * free would be called a leak; -z initfirst does not change that. But exit(3) runs handlers that are registered while
 * it is under way, after the handler that registers them returns; and that one is the loader's pass over all
 * destructors. So our destructor registers the snapshot, and it comes after the last of them. (glibc 2.36,
 * stdlib/exit.c and elf/dl-fini.c; tests/programs/exit_after_other_destructors.c watches it.) */
#include "preload/last.h"

#include "os/sandbox.h"
#include "preload/dumper.h"
#include "preload/kin.h"
#include "preload/life.h"
#include "preload/log.h"
#include "preload/options.h"
#include "preload/output.h"
#include "preload/process.h"
#include "preload/schedule.h"
#include "preload/script.h"
#include "preload/tick.h"

#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>

static const uint64_t patience_ns = 1000 * 1000 * 1000; /* for another thread's snapshot */

enum { BRIEF_CS = 10 * LT_CS_PER_S };

static _Atomic bool ended, kept;

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
    ended = kept = false;
}

void lt_last_keep(void) {
    kept = true;
}

/* Whether the calling process is the one to write, and not in its parent's memory. */
static bool may_write(void) {
    if (lt_state != LT_STATE_ON || !lt_process_pid() || lt_options.dumper == LT_DUMPER_OFF)
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

static uint64_t held_bytes(void) {
    uint64_t sum = 0;
    for (unsigned kind = 1; kind < LT_KIND_END; kind++) {
        struct lt_totals totals;
        lt_totals(kind, &totals);
        sum += totals.acquired_bytes - totals.released_bytes;
    }
    return sum;
}

static bool is_brief(void) {
    return lt_options.children != LT_CHILDREN_ALL && !kept && lt_tick_age_cs() < BRIEF_CS;
}

/* Brief processes leave a dump only as the rules of kin.h allow. */
static void write_or_not(enum lt_trigger trigger) {
    const uint64_t held = held_bytes();
    const bool brief = is_brief(), wanted = !brief || lt_kin_wants(held);
    if (wanted)
        write_last(trigger);
    else
        lt_output_discard();
    if (brief)
        lt_kin_leave(lt_output_file(), wanted, held);
}

void lt_life_exit(void) {
    const int saved = errno;
    if (may_write() && !atomic_exchange(&ended, true) && (lt_output_begun() || lt_own_acquires()))
        write_or_not(LT_TRIGGER_EXIT);
    errno = saved;
}

void lt_life_before_sandbox(void) {
    const struct lt_job job = {.trigger = LT_TRIGGER_PERIODIC};
    const int saved = errno;
    if (!lt_sandboxed && may_write() && lt_output_begun())
        (void)!lt_dumper_run_here(&job, patience_ns);
    errno = saved;
}

/* If the exec fails after all, the next snapshot makes a new file. */
void lt_life_exec(void) {
    const int saved = errno;
    if (may_write() && lt_output_begun()) {
        if (is_brief() && lt_script_is_running()) {
            lt_kin_disown(lt_output_file());
            lt_output_discard();
        } else {
            write_or_not(LT_TRIGGER_EXEC);
        }
    }
    errno = saved;
}
