/* The text for people, word by word. */
#include "report_fixture.h"

#define PROCESS                                                                                                        \
    "process exe=/usr/bin/app arg=app arg=-v host=box pid=4711 start=1700000000000000000\n"                            \
    "module app path=/usr/bin/app build-id=aa\n"                                                                       \
    "module libc path=/lib/libc.so.6 build-id=cc\n"

#define NAMES                                                                                                          \
    "app+0x10|make_answer|/build/acme/project/src/answer.c:23\n"                                                       \
    "app+0x20|inner|/build/acme/project/src/inner.h:3|outer|/build/acme/project/src/request.c:34\n"                    \
    "app+0x30|handle|/build/acme/project/src/request.c:40\n"                                                           \
    "app+0x40|loop|/build/acme/project/src/main.c:11\n"                                                                \
    "app+0x50|main|/build/acme/project/src/main.c:20\n"                                                                \
    "libc.so.6+0x60|__libc_start_call_main|-\n"                                                                        \
    "libc.so.6+0x70|_IO_file_doallocate|-\n"

#define DUMP                                                                                                           \
    PROCESS "snapshot time=1240 trigger=exit last\n"                                                                   \
            "site heap app+0x10 app+0x20 app+0x30 app+0x40 app+0x50 libc+0x60 live=1000/37000 alloc=3000/111000 "      \
            "first=10 last=400 age=4:1000/37000\n"                                                                     \
            "site heap app+0x20 app+0x30 app+0x40 app+0x50 libc+0x60 live=1/74 first=100 last=100 age=4:1/74\n"        \
            "site heap libc+0x70 app+0x50 live=1/1024 first=0 last=0 age=4:1/1024\n"                                   \
            "site heap app+0x31 app+0x31 app+0x31 app+0x40 live=2/20 alloc=2/20 truncated\n"                           \
            "site heap app+0x10 live=0/0 alloc=5/5\n"                                                                  \
            "counter untracked \"acquired before start-up\" 12\n"                                                      \
            "counter untracked \"no memory\" 0\n"

static void assert_fits(struct fake_report *r, size_t width) {
    char *text = fake_text(r, width, false);
    bool is_row = false;
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
        is_row |= line[0] == '#'; /* the summary may be wider */
        if (is_row && lt_escaped_width(line, strlen(line)) > width)
            fail_msg("wider than %zu: %s", width, line);
    }
    free(text);
}

static void into_a_pipe_everything_is_whole(void **state) {
    struct fake_report r = {0};
    (void)state;
    fake_names(NAMES);
    assert_golden_text(&r, DUMP, NULL, 0, "pipe");
}

static void on_a_terminal_lines_keep_to_the_width(void **state) {
    struct fake_report r = {.top = 2};
    (void)state;
    fake_names(NAMES "app+0x31|a_function_whose_name_is_longer_than_the_terminal_is_wide_today|/src/x.c:7\n");
    assert_golden_text(&r, DUMP, NULL, 50, "terminal");
}

static void every_width_is_kept(void **state) {
    struct fake_report r = {0};
    (void)state;
    fake_names(
        NAMES
        "app+0x31|std::map<std::string, std::vector<int>>::operator[](std::string const&)|/a/b/c/d/map.h:7\n"
        "app+0x20|\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e\xe3\x81\xae\xe5\x90\x8d\xe5\x89\x8d|/\xe6\x97\xa5/a.c:1\n");
    fake_report_make(&r, DUMP, NULL);
    for (size_t width = 50; width < 130; width++)
        assert_fits(&r, width);
    fake_report_free(&r);
}

static void a_comparison(void **state) {
    struct fake_report r = {.sort = LT_SORT_GROWTH};
    (void)state;
    fake_names(NAMES);
    assert_golden_text(&r, DUMP,
                       PROCESS "snapshot time=100\nsite heap app+0x10 app+0x30 live=7/700\n"
                               "site heap libc+0x70 app+0x50 live=1/1024\n"
                               "site heap app+0x20 app+0x30 app+0x40 app+0x50 libc+0x60 live=3/222\n",
                       0, "comparison");
}

static void groups(void **state) {
    struct fake_report r = {.by = LT_BY_FUNCTION, .top = 1};
    (void)state;
    fake_names(NAMES);
    assert_golden_text(&r, DUMP, NULL, 0, "groups");
}

static void recursion_is_folded(void **state) {
    struct fake_report r = {0};
    (void)state;
    fake_names("app+0x1|leaf|a.c:1\napp+0x2|even|a.c:2\napp+0x3|odd|a.c:3\napp+0x4|self|a.c:4\napp+0x5|main|a.c:5\n");
    assert_golden_text(
        &r,
        PROCESS "snapshot\nsite heap app+0x1 app+0x2 app+0x3 app+0x2 app+0x3 app+0x2 app+0x3 app+0x2 app+0x4 app+0x4 "
                "app+0x4 app+0x5 live=1/3\n"
                "site heap app+0x2 app+0x3 app+0x2 app+0x3 app+0x5 live=1/2\n", /* not worth folding */
        NULL, 0, "recursion");
}

#define SAMPLED                                                                                                        \
    "snapshot time=200 trigger=exit sampling=524288\n"                                                                 \
    "site heap app+0x10 app+0x30 live=32768/524296 alloc=98304/1572888 first=1 last=190 age=0:32768/524296 "           \
    "samples=1/3 live-variance=274869518336/65536 alloc-variance=824608555008/196608\n"                                \
    "site heap app+0x20 app+0x30 live=3/6291456 samples=3/3 live-variance=10/16 alloc-variance=10/16\n"                \
    "site file app+0x50 live=2/0\n"

static void sampled_numbers_are_marked(void **state) {
    struct fake_report r = {0};
    (void)state;
    fake_names(NAMES);
    assert_golden_text(&r, PROCESS SAMPLED, NULL, 0, "sampled");
}

static void a_comparison_with_a_sampled_dump(void **state) {
    struct fake_report r = {.sort = LT_SORT_GROWTH};
    (void)state;
    fake_names(NAMES);
    assert_golden_text(&r, PROCESS SAMPLED,
                       PROCESS "snapshot time=100\nsite heap app+0x10 app+0x30 live=10000/100000\n"
                               "site heap app+0x20 app+0x30 live=3/6291456\n",
                       90, "sampled-comparison");
}

static void nothing_is_held(void **state) {
    struct fake_report r = {0};
    (void)state;
    assert_golden_text(&r,
                       PROCESS
                       "snapshot\nsite heap app+0x10 live=0/0 alloc=5/5\ntotals heap live=0/0 alloc=5/5 release=5/5 "
                       "inherited=3/4096\n",
                       NULL, 0, "nothing");
}

/* What the file system and the program say must not reach the terminal as it is. */
static void hostile_names_are_harmless(void **state) {
    struct fake_report r = {0};
    (void)state;
    fake_names("app+0x10|\33[2Jevil|\33]0;title\7.c:1\n");
    fake_report_make(&r,
                     "process exe=/\33[31m arg=a arg=\33c note=\"\33[1m\"\nmodule app path=app build-id=aa\n"
                     "snapshot\nsite heap app+0x10 live=1/1\nsite heap app+0x11 live=1/1\n"
                     "counter untracked \"\33[0m\" 1\n",
                     NULL);
    char *text = fake_text(&r, 0, false), *json = fake_json(&r);
    assert_null(strchr(text, '\33'));
    assert_null(strchr(text, '\7'));
    assert_non_null(strstr(text, "\\x1b[2Jevil"));
    assert_null(strchr(json, '\33'));
    assert_non_null(strstr(json, "\\u001b[2Jevil"));
    free(text);
    free(json);
    fake_report_free(&r);
}

static void colour_changes_nothing_else(void **state) {
    struct fake_report r = {0};
    (void)state;
    fake_names(NAMES);
    fake_report_make(&r, DUMP, NULL);
    char *plain = fake_text(&r, 0, false), *coloured = fake_text(&r, 0, true), *to = coloured;
    assert_null(strchr(plain, '\33'));
    assert_non_null(strchr(coloured, '\33'));
    for (const char *from = coloured; *from;) {
        if (*from == '\33')
            from = strchr(from, 'm') + 1;
        else
            *to++ = *from++;
    }
    *to = 0;
    assert_string_equal(plain, coloured);
    free(plain);
    free(coloured);
    fake_report_free(&r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(into_a_pipe_everything_is_whole),
        cmocka_unit_test(on_a_terminal_lines_keep_to_the_width),
        cmocka_unit_test(every_width_is_kept),
        cmocka_unit_test(a_comparison),
        cmocka_unit_test(groups),
        cmocka_unit_test(recursion_is_folded),
        cmocka_unit_test(sampled_numbers_are_marked),
        cmocka_unit_test(a_comparison_with_a_sampled_dump),
        cmocka_unit_test(nothing_is_held),
        cmocka_unit_test(hostile_names_are_harmless),
        cmocka_unit_test(colour_changes_nothing_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
