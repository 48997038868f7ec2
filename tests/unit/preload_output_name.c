/* LEAKTRACK_OUTPUT's pattern. */
#include "preload/output_name.h"

#include "unit.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static struct lt_output_words words = {
    .directory = "/data/run", .program = "sqlite3", .host = "alpha.example", .pid = 4711, .start_wall_s = 1798761599};

static void check(const char *pattern, const char *expected) {
    char path[256];
    struct lt_fmt f = lt_fmt(path, sizeof path);
    lt_output_name(&f, pattern, &words);
    assert_string_equal(path, expected);
    assert_false(f.cut);
}

static void letters_are_replaced(void **state) {
    (void)state;
    check("/x/%e.%p.bin", "/x/sqlite3.4711.bin");
    check("/%h/%t", "/alpha.example/20261231T235959Z");
    check("/%p%p%e", "/47114711sqlite3");
}

static void other_percents_stay(void **state) {
    (void)state;
    check("/100%", "/100%");
    check("/%%p", "/%p");
    check("/%x%", "/%x%");
    check("/%%%p", "/%4711");
}

static void relative_patterns_start_in_the_directory(void **state) {
    (void)state;
    check("leaktrack.%e.%p.bin", "/data/run/leaktrack.sqlite3.4711.bin");
    check("../a", "/data/run/../a");
    words.directory = "/";
    check("a", "/a");
    words.directory = "/data/run";
}

static void a_word_leads_into_no_other_directory(void **state) {
    (void)state;
    words.host = "../../etc/x";
    check("/var/%h.bin", "/var/.._.._etc_x.bin");
    words.host = "alpha.example";
}

static void what_is_too_long_is_cut(void **state) {
    (void)state;
    char path[16];
    struct lt_fmt f = lt_fmt(path, sizeof path);
    lt_output_name(&f, "%e%e%e%e", &words);
    assert_true(f.cut);
    assert_string_equal(path, "/data/run/sqlit");
}

static void the_pid_is_found(void **state) {
    (void)state;
    assert_true(lt_output_name_has_pid("%p"));
    assert_true(lt_output_name_has_pid("a%%%p"));
    assert_true(lt_output_name_has_pid("%e.%h.%p.bin"));
    assert_false(lt_output_name_has_pid(""));
    assert_false(lt_output_name_has_pid("%%p"));
    assert_false(lt_output_name_has_pid("%"));
    assert_false(lt_output_name_has_pid("p%e"));
}

/* The C library is the judge of dates: every day from 1970 to 2400, at another second each. */
static void times_are_those_of_the_calendar(void **state) {
    (void)state;
    for (uint64_t day = 0; day < 157054; day++) {
        char expected[32];
        const time_t at = (time_t)(day * 86400 + day * 7919 % 86400);
        struct tm tm;
        gmtime_r(&at, &tm);
        strftime(expected, sizeof expected, "/%Y%m%dT%H%M%SZ", &tm);
        words.start_wall_s = (uint64_t)at;
        check("/%t", expected);
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(letters_are_replaced),
    cmocka_unit_test(other_percents_stay),
    cmocka_unit_test(relative_patterns_start_in_the_directory),
    cmocka_unit_test(a_word_leads_into_no_other_directory),
    cmocka_unit_test(what_is_too_long_is_cut),
    cmocka_unit_test(the_pid_is_found),
    cmocka_unit_test(times_are_those_of_the_calendar),
};

LT_UNIT_MAIN(tests)
