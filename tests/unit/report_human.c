/* Quantities, and names that want to drive a terminal. */
#include "report/human.h"

#include "report/escape.h"
#include "report/terminal.h"

#include "unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void sizes_are_human(void **state) {
    (void)state;
    assert_string_equal(lt_human_size(0).text, "0 B");
    assert_string_equal(lt_human_size(1023).text, "1023 B");
    assert_string_equal(lt_human_size(1024).text, "1.0 KiB");
    assert_string_equal(lt_human_size(37000).text, "36.1 KiB");
    assert_string_equal(lt_human_size(1048575).text, "1.0 MiB"); /* not 1024.0 KiB */
    assert_string_equal(lt_human_size(13002342).text, "12.4 MiB");
    assert_string_equal(lt_human_size(UINT64_MAX).text, "16.0 EiB");
    assert_string_equal(lt_human_size_change(-2048).text, "-2.0 KiB");
    assert_string_equal(lt_human_size_change(5).text, "+5 B");
    assert_string_equal(lt_human_size_change(0).text, "0 B");
    assert_string_equal(lt_human_size_change(INT64_MIN).text, "-8.0 EiB");
}

static void shares_do_not_lie_at_the_ends(void **state) {
    (void)state;
    assert_string_equal(lt_human_share(0, 10).text, "0 %");
    assert_string_equal(lt_human_share(10, 10).text, "100 %");
    assert_string_equal(lt_human_share(1, 1000000).text, "< 0.1 %");
    assert_string_equal(lt_human_share(999999, 1000000).text, "> 99.9 %");
    assert_string_equal(lt_human_share(123, 1000).text, "12.3 %");
    assert_string_equal(lt_human_share(5, 0).text, "0 %");
}

static void durations_are_human(void **state) {
    (void)state;
    assert_string_equal(lt_human_duration(0).text, "0 s");
    assert_string_equal(lt_human_duration(5).text, "0.05 s");
    assert_string_equal(lt_human_duration(840).text, "8.4 s");
    assert_string_equal(lt_human_duration(5999).text, "59.9 s");
    assert_string_equal(lt_human_duration(6000).text, "1 min");
    assert_string_equal(lt_human_duration(6100).text, "1 min 1 s");
    assert_string_equal(lt_human_duration(360000 * 2 + 6000 * 5).text, "2 h 5 min");
    assert_string_equal(lt_human_duration(8640000ull * 3).text, "3 d 0 h");
}

static void times_are_utc(void **state) {
    (void)state;
    setenv("TZ", "America/New_York", 1);
    assert_string_equal(lt_human_time(1700000000000000000).text, "2023-11-14 22:13:20 UTC");
    unsetenv("TZ");
}

static void sizes_are_parsed(void **state) {
    uint64_t size;
    (void)state;
    const struct {
        const char *text;
        uint64_t value;
    } good[] = {{"0", 0},           {"10", 10},          {"64K", 65536}, {"1.5M", 1572864}, {"1 MiB", 1048576},
                {"2G", 1ull << 31}, {"1TB", 1ull << 40}, {"7B", 7},      {"1kib", 1024}};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        assert_int_equal(lt_parse_size(good[i].text, &size), 0);
        assert_int_equal(size, good[i].value);
    }
    const char *const bad[] = {"", "K", "-1", "+1", "1X", "0x10", "1 2", "1e30", "inf", "nan", "99999999999T"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(lt_parse_size(bad[i], &size), -EINVAL);
}

static void durations_and_numbers_are_parsed(void **state) {
    uint64_t value;
    (void)state;
    assert_int_equal(lt_parse_duration("90", &value), 0);
    assert_int_equal(value, 9000);
    assert_int_equal(lt_parse_duration("1.5h", &value), 0);
    assert_int_equal(value, 540000);
    assert_int_equal(lt_parse_duration("5min", &value), 0);
    assert_int_equal(value, 30000);
    assert_int_equal(lt_parse_duration("5 weeks", &value), -EINVAL);
    assert_int_equal(lt_parse_number("18446744073709551615", &value), 0);
    assert_int_equal(lt_parse_number("18446744073709551616", &value), -EINVAL);
    assert_int_equal(lt_parse_number(" 1", &value), -EINVAL);
    assert_int_equal(lt_parse_number("1.0", &value), -EINVAL);
}

static char *escaped(const char *text, enum lt_escape style) {
    static char buffer[1024];
    FILE *out = fmemopen(buffer, sizeof buffer, "w");
    lt_escape(out, text, style);
    fputc(0, out);
    fclose(out);
    return buffer;
}

static void names_are_escaped(void **state) {
    (void)state;
    const struct {
        const char *name, *terminal, *json;
    } cases[] = {
        {"plain \xc3\xa9 \xe6\x97\xa5", "plain \xc3\xa9 \xe6\x97\xa5", "plain \xc3\xa9 \xe6\x97\xa5"},
        {"\33[31mred", "\\x1b[31mred", "\\u001b[31mred"},
        {"a\nb\tc\x7f", "a\\x0ab\\x09c\\x7f", "a\\u000ab\\u0009c\\u007f"},
        {"\"quoted\" \\", "\"quoted\" \\", "\\\"quoted\\\" \\\\"},
        {"\xc2\x9b"
         "31m",
         "\\x9b31m", "\\u009b31m"}, /* CSI of the C1 set */
        {"\xe2\x80\xaegpj.exe\xe2\x80\xac", "\\u202egpj.exe\\u202c",
         "\\u202egpj.exe\\u202c"},                                                    /* right-to-left override */
        {"bad\xff", "bad\\xff", "bad\\\\xff"},                                        /* no UTF-8 */
        {"\xc0\xaf", "\\xc0\\xaf", "\\\\xc0\\\\xaf"},                                 /* overlong '/' */
        {"\xed\xa0\x80", "\\xed\\xa0\\x80", "\\\\xed\\\\xa0\\\\x80"},                 /* surrogate */
        {"\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80", "\\\\xf4\\\\x90\\\\x80\\\\x80"}, /* above U+10FFFF */
        {"cut\xe6\x97", "cut\\xe6\\x97", "cut\\\\xe6\\\\x97"},
        {"\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_string_equal(escaped(cases[i].name, LT_ESCAPE_TERMINAL), cases[i].terminal);
        assert_string_equal(escaped(cases[i].name, LT_ESCAPE_JSON), cases[i].json);
    }
}

static void widths_count_columns(void **state) {
    (void)state;
    const char *wide = "\xe6\x97\xa5\xe6\x9c\xac", *accent = "e\xcc\x81";
    assert_int_equal(lt_escaped_width("abc", 3), 3);
    assert_int_equal(lt_escaped_width(wide, strlen(wide)), 4);
    assert_int_equal(lt_escaped_width(accent, strlen(accent)), 1);
    assert_int_equal(lt_escaped_width("\33", 1), 4);
    assert_int_equal(lt_fit_start(wide, 3), 3); /* one character of two columns */
    assert_int_equal(lt_fit_start("abc", 10), 3);
    assert_int_equal(lt_fit_end("abcdef", 2), 2);
    assert_int_equal(lt_fit_end(wide, 3), 3);
}

static void colour_is_for_terminals(void **state) {
    (void)state;
    FILE *file = tmpfile();
    assert_non_null(file);
    struct lt_terminal none = lt_terminal_of(file, LT_COLOR_AUTO);
    assert_false(none.color);
    assert_int_equal(none.width, 0);
    assert_true(lt_terminal_of(file, LT_COLOR_ALWAYS).color);
    assert_false(lt_terminal_of(file, LT_COLOR_NEVER).color);
    fclose(file);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_are_human),         cmocka_unit_test(shares_do_not_lie_at_the_ends),
        cmocka_unit_test(durations_are_human),     cmocka_unit_test(times_are_utc),
        cmocka_unit_test(sizes_are_parsed),        cmocka_unit_test(durations_and_numbers_are_parsed),
        cmocka_unit_test(names_are_escaped),       cmocka_unit_test(widths_count_columns),
        cmocka_unit_test(colour_is_for_terminals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
