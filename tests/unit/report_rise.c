/* Open files that rise from snapshot to snapshot. */
#include "report/rise.h"
#include "report_fixture.h"

static struct lt_rise rise;

/* Snapshots a minute apart with these numbers of open files, 0 ends; the last has the limit. */
static bool rises(const uint64_t *open_files, uint64_t limit) {
    struct fake_dump dump;
    char text[4096] = "process exe=/x start=1700000000000000000\nmodule app path=/x\n";
    for (unsigned i = 0; open_files[i]; i++)
        snprintf(
            text + strlen(text), sizeof text - strlen(text),
            "snapshot time=%u\nsite file app+0x1 live=%llu/0\nsite socket app+0x2 live=4/0\n"
            "site heap app+0x3 live=%llu/9\ncounter kernel open_files %llu\ncounter kernel open_files_limit %llu\n",
            6000 * (i + 1), (unsigned long long)open_files[i] / 2, (unsigned long long)open_files[i] * 9,
            (unsigned long long)open_files[i], (unsigned long long)limit);
    fake_dump_make(&dump, text);
    bool found = lt_find_rise(&dump.loaded.dump, lt_find_snapshot(&dump.loaded, LT_LAST_SNAPSHOT), &rise);
    fake_dump_free(&dump);
    return found;
}

static void a_steady_rise_is_found(void **state) {
    (void)state;
    assert_true(rises((uint64_t[]){50, 20, 30, 40, 80, 0}, 200));
    assert_int_equal(rise.steps, 3);
    assert_int_equal(rise.from, 20);
    assert_int_equal(rise.to, 80);
    assert_int_equal(rise.span, 18000);
    assert_int_equal(rise.time_to_limit, 36000);
    assert_int_equal(rise.gain, 30);
    assert_int_equal(rise.holder.site_kind, LT_KIND_FILE);
}

static void what_is_none(void **state) {
    (void)state;
    assert_false(rises((uint64_t[]){80, 0}, 200));
    assert_false(rises((uint64_t[]){20, 60, 80, 0}, 200));         /* too few */
    assert_false(rises((uint64_t[]){20, 22, 24, 26, 0}, 200));     /* too little */
    assert_false(rises((uint64_t[]){20, 40, 60, 80, 80, 0}, 200)); /* has ended */
    assert_false(rises((uint64_t[]){90, 80, 70, 60, 0}, 200));
}

static void a_limit_may_be_far(void **state) {
    (void)state;
    assert_true(rises((uint64_t[]){10, 20, 30, 40, 0}, UINT64_MAX));
    assert_int_equal(rise.time_to_limit, LT_NO_NUMBER);
    assert_true(rises((uint64_t[]){10, 20, 30, 40, 0}, 1 << 30));
    assert_int_equal(rise.time_to_limit, LT_NO_NUMBER);
    assert_true(rises((uint64_t[]){10, 20, 30, 40, 0}, 40));
    assert_int_equal(rise.time_to_limit, LT_NO_NUMBER);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_steady_rise_is_found),
        cmocka_unit_test(what_is_none),
        cmocka_unit_test(a_limit_may_be_far),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
