/* The clocks against libc's, and the vDSO under them. */
#include "os/clock.h"
#include "os/task.h"
#include "os/vdso.h"

#include "unit.h"
#include "unit_child.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/auxv.h>
#include <time.h>

static uint64_t by_libc(clockid_t clock) {
    struct timespec time;
    clock_gettime(clock, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static void agrees_with_libc(void) {
    uint64_t before = by_libc(CLOCK_MONOTONIC), ours = lt_clock_mono_ns();
    assert_in_range(ours, before, by_libc(CLOCK_MONOTONIC));
    before = by_libc(CLOCK_REALTIME), ours = lt_clock_wall_ns();
    assert_in_range(ours, before, by_libc(CLOCK_REALTIME));
}

static void reads_by_system_call_before_init_and_by_the_vdso_after(void **state) {
    (void)state;
    agrees_with_libc();
    lt_clock_init();
    agrees_with_libc();
}

static void counts_centiseconds_from_init(void **state) {
    (void)state;
    lt_clock_init();
    assert_in_range(lt_clock_cs(), 0, 50);
    uint64_t start = lt_clock_mono_ns();
    uint32_t before = lt_clock_cs();
    while (lt_clock_mono_ns() - start < 100000000)
        lt_sleep_ns(10000000);
    uint64_t passed_cs = (lt_clock_mono_ns() - start) / 10000000;
    assert_in_range(lt_clock_cs() - before, passed_cs - 2, passed_cs + 50);
}

/* One that asks seldom: for two seconds and a half at least three different answers. */
static void a_note_is_less_than_a_second_old(void **state) {
    (void)state;
    lt_clock_init();
    struct lt_clock_note note = {.left = 0};
    uint32_t last = lt_clock_noted(&note);
    unsigned answers = 1;
    for (unsigned i = 0; i < 25; i++) {
        lt_sleep_ns(100000000);
        const uint32_t before = lt_clock_cs(), noted = lt_clock_noted(&note);
        assert_in_range(noted, before < 101 ? 0 : before - 101, lt_clock_cs());
        answers += noted != last;
        last = noted;
    }
    assert_true(answers >= 3);
}

/* One that asks all the time. */
static void a_note_is_renewed_when_it_was_used_enough(void **state) {
    (void)state;
    struct lt_clock_note note = {.left = 0};
    const uint64_t start = lt_clock_mono_ns();
    while (lt_clock_mono_ns() - start < 50000000) {
        const uint32_t before = lt_clock_cs();
        for (unsigned i = 0; i < LT_CLOCK_USES; i++)
            lt_clock_noted(&note);
        assert_in_range(lt_clock_noted(&note), before, lt_clock_cs());
    }
}

enum { NEW_TIME = 0x80 }; /* CLONE_NEWTIME, which glibc 2.35 lacks */

/* The monotonic clock of the children to come shows one second. */
static void go_back(void) {
    const long ahead = 1 - (long)(by_libc(CLOCK_MONOTONIC) / 1000000000u);
    CHILD_CHECK(unshare((geteuid() ? CLONE_NEWUSER : 0) | NEW_TIME) == 0);
    const int fd = open("/proc/self/timens_offsets", O_WRONLY | O_CLOEXEC);
    CHILD_CHECK(fd >= 0 && dprintf(fd, "monotonic %ld 0", ahead) > 0);
}

static uint32_t before;

static void ask_in_the_past(void) {
    for (unsigned i = 0; i < 3; i++)
        CHILD_CHECK(lt_clock_cs() >= before && lt_clock_cs() < before + 6000);
}

static void ask_before_and_after(void) {
    lt_clock_init();
    lt_sleep_ns(300000000);
    lt_clock_keep();
    before = lt_clock_cs();
    CHILD_CHECK(before >= 29);
    go_back();
    CHILD_CHECK(child_passes(ask_in_the_past));
}

static void goes_on_where_the_clock_goes_back(void **state) {
    (void)state;
    lt_skip_when(by_libc(CLOCK_MONOTONIC) < 10000000000u, "the machine has just been started");
    lt_skip_when(!child_passes(go_back), "no time namespace can be made here");
    assert_child_passes(ask_before_and_after);
}

static void finds_functions_of_the_vdso(void **state) {
    (void)state;
    lt_skip_when(!getauxval(AT_SYSINFO_EHDR), "there is no vDSO here");
    assert_non_null(lt_vdso_find("__vdso_clock_gettime"));
    assert_non_null(lt_vdso_find("__vdso_gettimeofday"));
    assert_null(lt_vdso_find("__vdso_no_such_function"));
    assert_null(lt_vdso_find(""));
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(reads_by_system_call_before_init_and_by_the_vdso_after),
    cmocka_unit_test(counts_centiseconds_from_init),
    cmocka_unit_test(a_note_is_less_than_a_second_old),
    cmocka_unit_test(a_note_is_renewed_when_it_was_used_enough),
    cmocka_unit_test(goes_on_where_the_clock_goes_back),
    cmocka_unit_test(finds_functions_of_the_vdso),
};
LT_UNIT_MAIN(tests)
