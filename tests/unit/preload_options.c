/* The environment variables: what each understands, what it refuses, and that a refusal keeps the default and is told.
 */
#include "preload/options.h"

#include "base/kind.h"
#include "preload/log.h"
#include "unwind/unwind.h"

#include "unit.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *told; /* the last complaint, and the value that it names */
static char told_value[64];
static unsigned told_times;

void lt_tell(const char *text, const char *path) {
    told = text;
    strncpy(told_value, path, sizeof told_value - 1);
    told_times++;
}

static struct lt_options defaults;

static int fresh(void **state) {
    (void)state;
    lt_options = defaults;
    told = NULL;
    told_times = 0;
    memset(told_value, 0, sizeof told_value);
    return 0;
}

static void set(const char *variable) {
    char *environment[] = {(char *)(uintptr_t) "HOME=/", (char *)(uintptr_t)variable, NULL};
    lt_options_read(environment);
}

static void accepted(const char *variable) {
    told_times = 0;
    set(variable);
    if (told_times)
        fail_msg("%s: %s", variable, told);
}

/* Refused: one complaint that begins with the variable's name, and nothing changed. */
static void refused(const char *variable) {
    struct lt_options before = lt_options;
    told_times = 0;
    set(variable);
    if (told_times != 1)
        fail_msg("%s: %u complaints", variable, told_times);
    assert_memory_equal(&before, &lt_options, sizeof before);
    assert_memory_equal(told, variable, strcspn(variable, "="));
    assert_string_equal(told_value, strchr(variable, '=') + 1);
}

static void defaults_hold_without_variables(void **state) {
    (void)state;
    char *none[] = {NULL};
    lt_options_read(none);
    assert_memory_equal(&defaults, &lt_options, sizeof defaults);
    assert_string_equal(lt_options.output, "leaktrack.%e.%p.bin");
    assert_int_equal(lt_options.interval_s, 30);
    assert_int_equal(lt_options.kinds, (1 << LT_KIND_END) - 2);
    assert_int_equal(lt_options.depth, 128);
    assert_int_equal(lt_options.max_dump, 256 << 20);
    assert_string_equal(lt_options.unwinder, "native");
    assert_null(lt_options.log);
}

static void an_empty_variable_is_none(void **state) {
    (void)state;
    accepted("LEAKTRACK_DEPTH=");
    accepted("LEAKTRACK_LOG=");
    assert_memory_equal(&defaults, &lt_options, sizeof defaults);
}

static void durations_have_units(void **state) {
    (void)state;
    static const struct {
        const char *variable;
        uint32_t seconds;
    } cases[] = {{"LEAKTRACK_INTERVAL=0", 0},    {"LEAKTRACK_INTERVAL=7", 7},     {"LEAKTRACK_INTERVAL=7s", 7},
                 {"LEAKTRACK_INTERVAL=5m", 300}, {"LEAKTRACK_INTERVAL=2h", 7200}, {"LEAKTRACK_INTERVAL=1d", 86400},
                 {"LEAKTRACK_INTERVAL=0010", 10}};
    accepted("LEAKTRACK_AFTER=3m");
    assert_int_equal(lt_options.after_s, 180);
    refused("LEAKTRACK_AFTER=soon");
    refused("LEAKTRACK_AFTER=101d");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        accepted(cases[i].variable);
        assert_int_equal(lt_options.interval_s, cases[i].seconds);
    }
}

static void sizes_have_units(void **state) {
    (void)state;
    accepted("LEAKTRACK_MAX_DUMP=1048577");
    assert_int_equal(lt_options.max_dump, 1048577);
    accepted("LEAKTRACK_MAX_DUMP=512K");
    assert_int_equal(lt_options.max_dump, 512 << 10);
    accepted("LEAKTRACK_MAX_DUMP=3m");
    assert_int_equal(lt_options.max_dump, 3 << 20);
    accepted("LEAKTRACK_MAX_DUMP=8G");
    assert_int_equal(lt_options.max_dump, 8ull << 30);
}

static void sampling_is_a_size(void **state) {
    (void)state;
    assert_int_equal(lt_options.sample_bytes, 0);
    accepted("LEAKTRACK_SAMPLE=512k");
    assert_int_equal(lt_options.sample_bytes, 512 << 10);
    accepted("LEAKTRACK_SAMPLE=1");
    assert_int_equal(lt_options.sample_bytes, 1);
    accepted("LEAKTRACK_SAMPLE=1G");
    assert_int_equal(lt_options.sample_bytes, 1 << 30);
    accepted("LEAKTRACK_SAMPLE=0");
    assert_int_equal(lt_options.sample_bytes, 0);
    refused("LEAKTRACK_SAMPLE=1073741825");
    refused("LEAKTRACK_SAMPLE=-1");
    refused("LEAKTRACK_SAMPLE=1/1000");
    refused("LEAKTRACK_SAMPLE=512 K");
}

static void numbers_that_make_no_sense_are_refused(void **state) {
    (void)state;
    refused("LEAKTRACK_INTERVAL=x");
    refused("LEAKTRACK_INTERVAL=-1");
    refused("LEAKTRACK_INTERVAL= 1");
    refused("LEAKTRACK_INTERVAL=1 ");
    refused("LEAKTRACK_INTERVAL=s");
    refused("LEAKTRACK_INTERVAL=1K");
    refused("LEAKTRACK_INTERVAL=1ss");
    refused("LEAKTRACK_INTERVAL=101d");
    refused("LEAKTRACK_INTERVAL=4294967297");
    refused("LEAKTRACK_INTERVAL=18446744073709551617");
    refused("LEAKTRACK_MAX_DUMP=18446744073709551615K");
    refused("LEAKTRACK_MAX_DUMP=100");
    refused("LEAKTRACK_MAX_DUMP=1MiB");
    refused("LEAKTRACK_DEPTH=0");
    refused("LEAKTRACK_DEPTH=4097");
    refused("LEAKTRACK_DEPTH=1K");
}

static void words_are_of_a_list(void **state) {
    (void)state;
    accepted("LEAKTRACK_DUMPER=inline");
    assert_int_equal(lt_options.dumper, LT_DUMPER_INLINE);
    accepted("LEAKTRACK_DUMPER=off");
    assert_int_equal(lt_options.dumper, LT_DUMPER_OFF);
    accepted("LEAKTRACK_CHILDREN=ignore");
    assert_int_equal(lt_options.children, LT_CHILDREN_IGNORE);
    accepted("LEAKTRACK_UNWINDER=fp");
    assert_string_equal(lt_options.unwinder, "fp");
    accepted("LEAKTRACK_BLOCKS=1");
    assert_int_equal(lt_options.blocks, 1);
    refused("LEAKTRACK_DUMPER=Inline");
    refused("LEAKTRACK_CHILDREN=yes");
    refused("LEAKTRACK_UNWINDER=dwarf");
    refused("LEAKTRACK_BLOCKS=2");
}

static void kinds_are_a_list(void **state) {
    (void)state;
    accepted("LEAKTRACK_KINDS=heap");
    assert_int_equal(lt_options.kinds, 1 << LT_KIND_HEAP);
    accepted("LEAKTRACK_KINDS=timer,file");
    assert_int_equal(lt_options.kinds, 1 << LT_KIND_TIMER | 1 << LT_KIND_FILE);
    refused("LEAKTRACK_KINDS=heap,");
    refused("LEAKTRACK_KINDS=heap,memory");
    refused("LEAKTRACK_KINDS=,heap");
}

static void texts_are_copied(void **state) {
    (void)state;
    char variable[] = "LEAKTRACK_OUTPUT=/tmp/%p.bin";
    accepted(variable);
    memset(variable, 'x', sizeof variable - 1);
    assert_string_equal(lt_options.output, "/tmp/%p.bin");
}

static void a_text_that_is_too_long_is_refused(void **state) {
    (void)state;
    static char variable[PATH_MAX + 100] = "LEAKTRACK_OUTPUT=";
    memset(variable + strlen(variable), 'x', sizeof variable - strlen(variable) - 1);
    set(variable);
    assert_int_equal(told_times, 1);
    assert_string_equal(lt_options.output, defaults.output);
}

static void the_log_holds_wherever_the_program_goes(void **state) {
    (void)state;
    char expected[PATH_MAX + 16];
    assert_non_null(getcwd(expected, PATH_MAX));
    strcat(expected, "/a/log");
    accepted("LEAKTRACK_LOG=a/log");
    assert_string_equal(lt_options.log, expected);
    accepted("LEAKTRACK_LOG=/var/log/x");
    assert_string_equal(lt_options.log, "/var/log/x");
    accepted("LEAKTRACK_LOG=stderr");
    assert_string_equal(lt_options.log, "stderr");
}

static void the_first_of_two_counts(void **state) {
    (void)state;
    char *environment[] = {(char *)(uintptr_t) "LEAKTRACK_DEPTH=5", (char *)(uintptr_t) "LEAKTRACK_DEPTH=6",
                           (char *)(uintptr_t) "LEAKTRACK_DEPTHS=7", (char *)(uintptr_t) "LEAKTRACK_DEPT=8", NULL};
    lt_options_read(environment);
    assert_int_equal(lt_options.depth, 5);
    assert_int_equal(told_times, 0);
}

/* What is written can be read again and means the same. */
static void options_are_told_as_they_are_given(void **state) {
    (void)state;
    char text[512];
    accepted("LEAKTRACK_DEPTH=77");
    accepted("LEAKTRACK_DUMPER=thread");
    accepted("LEAKTRACK_INTERVAL=1h");
    accepted("LEAKTRACK_MAX_DUMP=2M");
    accepted("LEAKTRACK_OUTPUT=/x/%p");
    accepted("LEAKTRACK_BLOCKS=1");
    accepted("LEAKTRACK_KINDS=event,heap");
    struct lt_options given = lt_options;
    unsigned count = 0, seen = 0;
    while (lt_option_text(count, text, sizeof text)) {
        seen += strcmp(text, "LEAKTRACK_DEPTH=77") == 0;
        seen += strcmp(text, "LEAKTRACK_INTERVAL=3600") == 0;
        seen += strcmp(text, "LEAKTRACK_KINDS=heap,event") == 0;
        seen += strcmp(text, "LEAKTRACK_UNWINDER=native") == 0;
        accepted(text);
        count++;
    }
    assert_int_equal(count, 12);
    assert_int_equal(seen, 4);
    assert_memory_equal(&given, &lt_options, sizeof given);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(defaults_hold_without_variables, fresh),
        cmocka_unit_test_setup(an_empty_variable_is_none, fresh),
        cmocka_unit_test_setup(durations_have_units, fresh),
        cmocka_unit_test_setup(sizes_have_units, fresh),
        cmocka_unit_test_setup(sampling_is_a_size, fresh),
        cmocka_unit_test_setup(numbers_that_make_no_sense_are_refused, fresh),
        cmocka_unit_test_setup(words_are_of_a_list, fresh),
        cmocka_unit_test_setup(kinds_are_a_list, fresh),
        cmocka_unit_test_setup(texts_are_copied, fresh),
        cmocka_unit_test_setup(a_text_that_is_too_long_is_refused, fresh),
        cmocka_unit_test_setup(the_log_holds_wherever_the_program_goes, fresh),
        cmocka_unit_test_setup(the_first_of_two_counts, fresh),
        cmocka_unit_test_setup(options_are_told_as_they_are_given, fresh),
    };
    defaults = lt_options;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
