/* The text for people, word by word. */
#include "report/wrap.h"
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

/* The lines but those of tables. */
static void assert_fits(struct fake_report *r, size_t width) {
    char *text = fake_text(r, width, false);
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
        if (lt_escaped_width(line, strlen(line)) > width && !strstr(line, "    "))
            fail_msg("wider than %zu: %s", width, line);
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

static void lines_are_wrapped(void **state) {
    static const struct {
        const char *text, *wrapped;
    } cases[] = {
        {"short\n", "short\n"},
        {"\n\n", "\n\n"},
        {"one two three four five six seven\n", "one two three four\n    five six seven\n"},
        {"age of 20 s, of 2 acquired\n", "age of 20 s,\n    of 2 acquired\n"},
        {"it takes all of 12.4 KiB\n", "it takes all of\n    12.4 KiB\n"},
        {"it is just about 23.9 % of it\n", "it is just about\n    23.9 % of it\n"},
        {"averyveryverylongword and more\n", "averyveryverylongword\n    and more\n"},
        {"thiswordiswiderthantheterminalis\n", "thiswordiswiderthantheterminalis\n"},
        {"columns    of        a    table\n", "columns    of        a    table\n"},
        {"  indented by two blanks\n", "  indented by two\n      blanks\n"},
        {"\33[31mred from here to there\33[0m\n", "\33[31mred from here to\33[0m\n    \33[31mthere\33[0m\n"},
        {"\33[1mone\33[0m two three four five\n", "\33[1mone\33[0m two three four\n    five\n"},
        {"\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e \xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e abcdefghi\n",
         "\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e \xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e\n    abcdefghi\n"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *text = NULL;
        size_t size;
        FILE *out = open_memstream(&text, &size);
        lt_wrap(out, cases[i].text, 20);
        fclose(out);
        assert_string_equal(text, cases[i].wrapped);
        free(text);
    }
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

static void nothing_was_sampled(void **state) {
    struct fake_report r = {0};
    (void)state;
    fake_names(NAMES);
    fake_report_make(&r, PROCESS "snapshot sampling=524288\ntotals heap live=0/0\nsite file app+0x50 live=2/0\n", NULL);
    char *text = fake_text(&r, 0, false);
    assert_non_null(
        strstr(text, "\nheap               ~0       ~0 B          ~0       ~0 B          ~0       ~0 B\nfile "));
    free(text);
    fake_report_free(&r);
}

static void what_has_not_changed_has_no_sign(void **state) {
    struct fake_report r = {.sort = LT_SORT_GROWTH};
    (void)state;
    fake_names(NAMES);
    fake_report_make(&r, PROCESS "snapshot\nsite heap app+0x10 live=3/90\nsite file app+0x50 live=2/0\n",
                     PROCESS "snapshot\nsite heap app+0x10 live=3/60\nsite file app+0x50 live=2/0\n");
    char *text = fake_text(&r, 0, false);
    assert_non_null(strstr(text, "\nheap                3       60 B           3       90 B           0      +30 B\n"));
    assert_non_null(strstr(text, "\nfile                2                      2                      0\n"));
    assert_non_null(strstr(text, "\n#1  +30 B in as many blocks, heap, grown, before 60 B in 3 blocks, now 90 B"));
    assert_non_null(strstr(text, "\n1 unchanged site, holding 2 files\n"));
    assert_null(strstr(text, "+0"));
    free(text);
    fake_report_free(&r);
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
        cmocka_unit_test(lines_are_wrapped),
        cmocka_unit_test(a_comparison),
        cmocka_unit_test(groups),
        cmocka_unit_test(recursion_is_folded),
        cmocka_unit_test(sampled_numbers_are_marked),
        cmocka_unit_test(a_comparison_with_a_sampled_dump),
        cmocka_unit_test(nothing_was_sampled),
        cmocka_unit_test(what_has_not_changed_has_no_sign),
        cmocka_unit_test(nothing_is_held),
        cmocka_unit_test(hostile_names_are_harmless),
        cmocka_unit_test(colour_changes_nothing_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
