/* The tick comes with every 32nd acquire of a block by a thread, and a hundred times a second with one of a descriptor,
 * so what is usual must cost no more than a read of the clock and three loads: is it time, does somebody ask, has a
 * fork that nobody told us of made this a copy. */
#include "preload/tick.h"

#include "os/clock.h"
#include "os/task.h"
#include "preload/control.h"
#include "preload/guard.h"
#include "preload/life.h"
#include "preload/options.h"
#include "preload/process.h"
#include "preload/schedule.h"

#include <stdatomic.h>

enum { BEAT_CS = LT_CS_PER_S };

static uint64_t origin_cs;                      /* what the schedule counts from */
static _Atomic uint64_t due_cs = LT_NEVER_DUE;  /* of the next periodic snapshot, by the library's clock */
static _Atomic uint64_t beat_cs = LT_NEVER_DUE; /* of the next sign of life */
static _Atomic uint32_t interval_factor = 1;

static uint64_t due_after(uint64_t now_cs) {
    const uint64_t interval_s = (uint64_t)lt_options.interval_s * interval_factor;
    const uint64_t due =
        lt_schedule_after(now_cs - origin_cs, interval_s < UINT32_MAX ? (uint32_t)interval_s : UINT32_MAX);
    return due == LT_NEVER_DUE ? due : origin_cs + due;
}

void lt_tick_start(void) {
    origin_cs = lt_clock_elapsed_cs();
    interval_factor = 1;
    if (lt_options.dumper == LT_DUMPER_OFF)
        return;
    beat_cs = origin_cs;
    due_cs = due_after(origin_cs);
}

void lt_tick_stop(void) {
    due_cs = beat_cs = LT_NEVER_DUE;
}

uint64_t lt_tick_age_cs(void) {
    return lt_clock_elapsed_cs() - origin_cs;
}

void lt_tick_slow_down(uint32_t factor) {
    interval_factor = factor ? factor : 1;
}

/* Moves a moment on if it has come; of several threads one gets true. */
static bool take_turn(_Atomic uint64_t *moment, uint64_t now_cs, uint64_t next_cs) {
    uint64_t old = atomic_load(moment);
    return now_cs >= old && atomic_compare_exchange_strong(moment, &old, next_cs);
}

bool lt_tick_due(struct lt_job *job) {
    const uint64_t now = lt_clock_elapsed_cs();
    if (take_turn(&beat_cs, now, now + BEAT_CS)) {
        lt_clock_keep();
        lt_control_beat();
    }
    *job = (struct lt_job){.trigger = lt_control_wanted() ? LT_TRIGGER_REQUEST : LT_TRIGGER_PERIODIC};
    return job->trigger == LT_TRIGGER_REQUEST || (now >= due_cs && take_turn(&due_cs, now, due_after(now)));
}

/* A stack in which the loader's locks may be held is no place to make a thread, and a signal handler's is none to stay
 * on for long: the next event will do. A snapshot in the calling thread needs no lock; where the tables are full and no
 * stack is known any more, it must do. */
static LT_COLD void serve(int stack_flags) {
    struct lt_job job;
    const bool known = stack_flags >= 0;
    if (known && stack_flags & (LT_STACK_SIGNAL | LT_STACK_LOADER)) {
        lt_tick_at_next();
        return;
    }
    if (lt_process_whose() != LT_OWN_MEMORY || !lt_tick_due(&job))
        return;
    if (known)
        (void)!lt_dumper_dispatch(&job);
    else
        (void)!lt_dumper_run_here(&job, 0);
}

/* A copy is claimed by its first thread only, whose tables it came with; a second thread could not tell which they are.
 */
static LT_COLD bool claim_copy(void) {
    if (lt_gettid() != lt_getpid())
        return false;
    lt_life_forked();
    return true;
}

/* During the warm-up every event is a tick, so that not more than one comes after its end and is still counted to it.
 */
static bool is_wanted(void) {
    const uint64_t now = lt_clock_elapsed_cs();
    if (lt_unlikely(lt_track_warming_up(now)))
        lt_tls.events = LT_EVENTS_PER_TICK - 1;
    const bool nothing = now < due_cs && now < beat_cs && !lt_control_wanted();
    return lt_unlikely(!nothing && !lt_dumper_is_resident());
}

bool lt_tick_pending(void) {
    return lt_process_is_copy() || is_wanted();
}

void lt_tick(int stack_flags) {
    if (lt_unlikely(lt_process_is_copy()) && !claim_copy())
        return;
    if (is_wanted())
        serve(stack_flags);
}
