/* Bounded text: against snprintf where it has the format, and no byte behind the end at any buffer size. */
#include "base/fmt.h"

#include "unit.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

static void formats_numbers_as_printf_does(void **state) {
    (void)state;
    static const uint64_t numbers[] = {0,         1, 9, 10, 15, 16, 99, 100, 4096, INT64_MAX, (uint64_t)INT64_MAX + 1,
                                       UINT64_MAX};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        char ours[128], theirs[128];
        struct lt_fmt f = lt_fmt(ours, sizeof ours);
        lt_fmt_unsigned(&f, numbers[i]);
        lt_fmt_char(&f, ' ');
        lt_fmt_signed(&f, (int64_t)numbers[i]);
        lt_fmt_char(&f, ' ');
        lt_fmt_hex(&f, numbers[i], 0);
        lt_fmt_char(&f, ' ');
        lt_fmt_hex(&f, numbers[i], 8);
        lt_fmt_char(&f, ' ');
        lt_fmt_hex(&f, numbers[i], 99);
        snprintf(theirs, sizeof theirs, "%" PRIu64 " %" PRId64 " 0x%" PRIx64 " 0x%08" PRIx64 " 0x%016" PRIx64,
                 numbers[i], (int64_t)numbers[i], numbers[i], numbers[i], numbers[i]);
        assert_string_equal(ours, theirs);
        assert_int_equal(f.length, strlen(theirs));
        assert_false(f.cut);
    }
}

static void names_a_status(void **state) {
    (void)state;
    static const struct {
        int status;
        const char *text;
    } cases[] = {
        {0, "success"},
        {-ENOSPC, "ENOSPC: No space left on device"},
        {ENOSPC, "ENOSPC: No space left on device"},
        {-EEXIST, "EEXIST: File exists"},
        {-4095, "errno 4095"},
        {INT_MIN, "errno 2147483648"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[64];
        struct lt_fmt f = lt_fmt(text, sizeof text);
        lt_fmt_status(&f, cases[i].status);
        assert_string_equal(text, cases[i].text);
    }
}

static void stops_at_the_end_of_any_buffer(void **state) {
    (void)state;
    const char whole[] = "abc18446744073709551615EACCES: Permission denied";
    for (size_t size = 1; size <= sizeof whole; size++) {
        char text[sizeof whole + 8];
        memset(text, '#', sizeof text);
        struct lt_fmt f = lt_fmt(text, size);
        lt_fmt_text(&f, "abc");
        lt_fmt_unsigned(&f, UINT64_MAX);
        lt_fmt_status(&f, -EACCES);
        assert_int_equal(f.length, size - 1);
        assert_memory_equal(text, whole, size - 1);
        assert_int_equal(text[size - 1], '\0');
        assert_int_equal(text[size], '#');
        assert_int_equal(f.cut, size < sizeof whole);
    }
}

static void leaves_errno_alone(void **state) {
    (void)state;
    char text[64];
    struct lt_fmt f = lt_fmt(text, sizeof text);
    errno = 12345;
    lt_fmt_status(&f, -4095);
    lt_fmt_status(&f, -ENOENT);
    assert_int_equal(errno, 12345);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(formats_numbers_as_printf_does),
    cmocka_unit_test(names_a_status),
    cmocka_unit_test(stops_at_the_end_of_any_buffer),
    cmocka_unit_test(leaves_errno_alone),
};
LT_UNIT_MAIN(tests)
