/* The command line. */
#include "report/options.h"

#include "unit.h"

#include <string.h>

enum { WORDS = 16 };

/* Splits `line` at blanks; static, as argv is. */
static enum lt_parsed parse(struct lt_options *options, const char *line) {
    static char words[512];
    static char *argv[WORDS + 1];
    int argc = 0;
    snprintf(words, sizeof words, "leaktrack-report %s", line);
    for (char *word = strtok(words, " "); word && argc < WORDS; word = strtok(NULL, " "))
        argv[argc++] = word;
    argv[argc] = NULL;
    return lt_options_parse(options, argc, argv);
}

static void assert_parsed(const char *line, enum lt_parsed expected) {
    struct lt_options options;
    enum lt_parsed parsed = parse(&options, line);
    lt_options_free(&options);
    if (parsed != expected)
        fail_msg("'%s' gives %d, not %d", line, parsed, expected);
}

static void defaults_depend_on_the_form(void **state) {
    struct lt_options options;
    (void)state;
    assert_int_equal(parse(&options, "d.bin"), LT_PARSED_REPORT);
    assert_string_equal(options.dump, "d.bin");
    assert_int_equal(options.top, LT_TEXT_ROWS);
    assert_int_equal(options.sort, LT_SORT_BYTES);
    assert_int_equal(options.snapshot, LT_LAST_SNAPSHOT);
    assert_false(lt_is_comparison(&options));
    lt_options_free(&options);
    assert_int_equal(parse(&options, "--format json --base a b"), LT_PARSED_REPORT);
    assert_int_equal(options.top, LT_ALL_ROWS);
    assert_int_equal(options.sort, LT_SORT_GROWTH);
    assert_true(lt_is_comparison(&options));
    lt_options_free(&options);
}

static void every_option_is_understood(void **state) {
    struct lt_options options;
    (void)state;
    assert_int_equal(parse(&options, "--snapshot -2 --base-snapshot=first --kind heap,file --by line --sort count"),
                     LT_PARSED_WRONG); /* no dump */
    lt_options_free(&options);
    assert_int_equal(
        parse(&options, "d --snapshot -2 --base-snapshot=first --kind heap,file --by line --sort count -n 3"),
        LT_PARSED_REPORT);
    assert_int_equal(options.snapshot, -2);
    assert_int_equal(options.base_snapshot, LT_FIRST_SNAPSHOT);
    assert_int_equal(options.selection.kinds, 1u << LT_KIND_HEAP | 1u << LT_KIND_FILE);
    assert_int_equal(options.by, LT_BY_LINE);
    assert_int_equal(options.sort, LT_SORT_COUNT);
    assert_int_equal(options.top, 3);
    lt_options_free(&options);
    assert_int_equal(parse(&options,
                           "--min-age 5m --color=never -o x --symfs /s --debug-dir /a --debug-dir /b --request d "
                           "--no-inlines --no-debuginfod"),
                     LT_PARSED_REPORT);
    assert_int_equal(options.selection.min_age_cs, 30000);
    assert_int_equal(options.color, LT_COLOR_NEVER);
    assert_string_equal(options.output, "x");
    assert_string_equal(options.symfs, "/s");
    assert_int_equal(options.debug_dir_count, 2);
    assert_string_equal(options.debug_dirs[1], "/b");
    assert_true(options.request && options.no_inlines && options.no_debuginfod);
    lt_options_free(&options);
    assert_int_equal(parse(&options, "d --fail-on heap>0 --fail-on any.bytes>1M --focus a --hide b"), LT_PARSED_REPORT);
    assert_int_equal(options.policy_count, 2);
    assert_non_null(options.filter.patterns[LT_FILTER_FOCUS]);
    assert_non_null(options.filter.patterns[LT_FILTER_HIDE]);
    lt_options_free(&options);
}

static void what_is_wrong_is_refused(void **state) {
    static const char *const lines[] = {"",
                                        "a b",
                                        "--nonsense d",
                                        "-x d",
                                        "--top",
                                        "--top -1 d",
                                        "--top x d",
                                        "--by x d",
                                        "--sort x d",
                                        "--format xml d",
                                        "--color x d",
                                        "--kind x d",
                                        "--kind heap, d",
                                        "--snapshot 0 d",
                                        "--snapshot x d",
                                        "--min-age x d",
                                        "--focus ( d",
                                        "--fail-on heap d",
                                        "--fail-on heap.growth>0 d",
                                        "--sort growth d",
                                        "--request -",
                                        "--help=x d",
                                        "--baseline x d",
                                        "--suppressions x d"};
    (void)state;
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        assert_parsed(lines[i], LT_PARSED_WRONG);
}

static void help_and_version_win(void **state) {
    (void)state;
    assert_parsed("--help", LT_PARSED_HELP);
    assert_parsed("-h d", LT_PARSED_HELP);
    assert_parsed("--version", LT_PARSED_VERSION);
    assert_parsed("-V", LT_PARSED_VERSION);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_depend_on_the_form),
        cmocka_unit_test(every_option_is_understood),
        cmocka_unit_test(what_is_wrong_is_refused),
        cmocka_unit_test(help_and_version_win),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
