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
static LT_HOT_DATA uint64_t start_ns;

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
    start_ns = nanoseconds(CLOCK_MONOTONIC_COARSE);
}

uint32_t lt_clock_cs(void) {
    uint64_t cs = (nanoseconds(CLOCK_MONOTONIC_COARSE) - start_ns) / 10000000u;
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
