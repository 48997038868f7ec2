/* When periodic snapshots are due. */
#include "preload/schedule.h"

#include "unit.h"

/* The moments in seconds, one after the other, must be those of the list, which 0 ends. */
static void check(uint32_t interval_s, const uint32_t *seconds) {
    uint64_t now = 0;
    for (; *seconds; seconds++) {
        now = lt_schedule_after(now, interval_s);
        assert_int_equal(now, *seconds * LT_CS_PER_S);
    }
}

static void doubles_until_the_step_is_the_interval(void **state) {
    (void)state;
    check(30, (const uint32_t[]){1, 2, 4, 8, 16, 32, 62, 92, 122, 0});
    check(5, (const uint32_t[]){1, 2, 4, 8, 13, 18, 23, 0});
    check(4, (const uint32_t[]){1, 2, 4, 8, 12, 16, 0});
    check(1, (const uint32_t[]){1, 2, 3, 4, 5, 0});
    check(
        86400,
        (const uint32_t[]){
            1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768, 65536, 131072, 131072 + 86400,
            0});
}

static void after_a_pause_comes_the_next_moment(void **state) {
    (void)state;
    assert_int_equal(lt_schedule_after(99, 30), 100);
    assert_int_equal(lt_schedule_after(100, 30), 200);
    assert_int_equal(lt_schedule_after(399, 30), 400);
    assert_int_equal(lt_schedule_after(5000, 30), 6200);
    assert_int_equal(lt_schedule_after(6200, 30), 9200);
    assert_int_equal(lt_schedule_after(1000000, 30), 1002200);
}

static void every_moment_lies_ahead_and_none_is_left_out(void **state) {
    (void)state;
    const uint32_t intervals[] = {1, 2, 3, 7, 30, 60, 100000, UINT32_MAX};
    for (size_t i = 0; i < sizeof intervals / sizeof *intervals; i++)
        for (uint32_t now = 0; now < 20000; now++) {
            const uint64_t due = lt_schedule_after(now, intervals[i]);
            assert_true(due > now);
            assert_true(lt_schedule_after(due - 1, intervals[i]) == due);
        }
}

/* 2^32 centiseconds, where births end, are 497 days. */
static void goes_on_after_the_last_birth(void **state) {
    (void)state;
    const uint64_t end = (uint64_t)1 << 32;
    assert_int_equal(lt_schedule_after(0, 0), LT_NEVER_DUE);
    assert_int_equal(lt_schedule_after(end, 0), LT_NEVER_DUE);
    assert_in_range(lt_schedule_after(end - 1, 30), end, end + 3000);
    assert_in_range(lt_schedule_after(end, 30), end + 1, end + 3000);
    assert_in_range(lt_schedule_after(100 * end, 1), 100 * end + 1, 100 * end + 100);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(doubles_until_the_step_is_the_interval),
    cmocka_unit_test(after_a_pause_comes_the_next_moment),
    cmocka_unit_test(every_moment_lies_ahead_and_none_is_left_out),
    cmocka_unit_test(goes_on_after_the_last_birth),
};

LT_UNIT_MAIN(tests)
