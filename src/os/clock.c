#include "os/clock.h"

#include "base/attrs.h"
#include "os/sandbox.h"
#include "os/syscall.h"
#include "os/vdso.h"

#include <time.h>

typedef int clock_function(clockid_t, struct timespec *);

static int by_system_call(clockid_t clock, struct timespec *time) {
    return (int)lt_syscall2(SYS_clock_gettime, clock, LT_ARG(time));
}

static LT_HOT_DATA clock_function *read_clock = by_system_call;
static LT_HOT_DATA uint64_t start_ns, kept_ns; /* by the coarse monotonic clock */

static time_t second_by_clock(time_t *unused) {
    struct timespec time = {0, 0};
    (void)unused;
    read_clock(CLOCK_MONOTONIC_COARSE, &time);
    return time.tv_sec;
}

time_t (*lt_clock_second)(time_t *) = second_by_clock;

static uint64_t nanoseconds(clockid_t clock) {
    struct timespec time = {0, 0};
    read_clock(clock, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

void lt_clock_init(void) {
    clock_function *fast = (clock_function *)lt_vdso_find(LT_VDSO_CLOCK_GETTIME);
    if (fast)
        read_clock = fast;
    time_t (*second)(time_t *) = (time_t(*)(time_t *))lt_vdso_find(LT_VDSO_TIME);
    if (second)
        lt_clock_second = second;
    start_ns = kept_ns = nanoseconds(CLOCK_MONOTONIC_COARSE);
}

static LT_COLD void go_on(uint64_t kept, uint64_t now) {
    if (__atomic_compare_exchange_n(&kept_ns, &kept, now, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
        __atomic_fetch_sub(&start_ns, kept - now, __ATOMIC_RELAXED);
}

/* What was kept is read first: then it is later than the clock only where that went back. */
uint64_t lt_clock_elapsed_cs(void) {
    const uint64_t kept = __atomic_load_n(&kept_ns, __ATOMIC_ACQUIRE), now = nanoseconds(CLOCK_MONOTONIC_COARSE);
    if (lt_unlikely(now < kept))
        go_on(kept, now);
    return (now - __atomic_load_n(&start_ns, __ATOMIC_RELAXED)) / 10000000u;
}

void lt_clock_keep(void) {
    (void)lt_clock_elapsed_cs(); /* it may have gone back by now */
    __atomic_store_n(&kept_ns, nanoseconds(CLOCK_MONOTONIC_COARSE), __ATOMIC_RELEASE);
}

uint32_t lt_clock_cs(void) {
    const uint64_t cs = lt_clock_elapsed_cs();
    return cs < UINT32_MAX ? (uint32_t)cs : UINT32_MAX;
}

void lt_clock_note(struct lt_clock_note *note, int64_t second) {
    *note = (struct lt_clock_note){.second = second, .cs = lt_clock_cs(), .left = LT_CLOCK_USES - 1};
}

/* The fine clocks read the time-stamp counter, which a sandbox may have made deadly (seccomp's strict mode does, by
 * PR_TSC_SIGSEGV); the coarse ones only read memory. */
uint64_t lt_clock_wall_ns(void) {
    return nanoseconds(lt_sandboxed ? CLOCK_REALTIME_COARSE : CLOCK_REALTIME);
}

uint64_t lt_clock_mono_ns(void) {
    return nanoseconds(lt_sandboxed ? CLOCK_MONOTONIC_COARSE : CLOCK_MONOTONIC);
}
