/* --focus, --ignore, --show, --hide, and grouping by places. */
#include "report_fixture.h"

#include <errno.h>

#define DUMP                                                                                                           \
    "module app path=/usr/bin/app build-id=aa\n"                                                                       \
    "module libc path=/lib/libc.so.6 build-id=cc\n"                                                                    \
    "module cxx path=/lib/libstdc++.so.6 build-id=dd\n"                                                                \
    "snapshot\n"                                                                                                       \
    "site heap app+0x10 app+0x90 live=1/100\n"                                                                         \
    "site heap app+0x18 app+0x90 live=2/50\n"                                                                          \
    "site heap cxx+0x20 app+0x30 app+0x90 live=1/30\n"                                                                 \
    "site heap libc+0x40 app+0x50 app+0x90 live=1/7\n"                                                                 \
    "site file app+0x10 app+0x90 live=5/0\n"                                                                           \
    "site heap 0x7000 live=1/3\n"

#define NAMES                                                                                                          \
    "app+0x10|leak|/src/a.c:10\n"                                                                                      \
    "app+0x18|helper|/src/a.h:3|leak|/src/a.c:12\n"                                                                    \
    "app+0x30|Widget::make()|/src/w.cc:5\n"                                                                            \
    "app+0x50|copy_name|/src/b.c:7\n"                                                                                  \
    "app+0x90|main|/src/main.c:1\n"                                                                                    \
    "libstdc++.so.6+0x20|operator new(unsigned long)|-\n"                                                              \
    "libc.so.6+0x40|strdup|-\n"

static uint64_t bytes_left(enum lt_filter_word word, const char *expression) {
    struct fake_report r = {0};
    fake_names(NAMES);
    assert_int_equal(lt_filter_add(&r.filter, word, expression), 0);
    fake_report_make(&r, DUMP, NULL);
    uint64_t bytes = r.table.sums[LT_KIND_HEAP].live.bytes;
    fake_report_free(&r);
    return bytes;
}

static void focus_and_ignore_look_at_whole_stacks(void **state) {
    (void)state;
    assert_int_equal(bytes_left(LT_FILTER_FOCUS, "^leak$"), 150);
    assert_int_equal(bytes_left(LT_FILTER_FOCUS, "^main$"), 187);
    assert_int_equal(bytes_left(LT_FILTER_FOCUS, "/src/a\\.h"), 50); /* a file, of an inlined function */
    assert_int_equal(bytes_left(LT_FILTER_FOCUS, "libstdc"), 30);    /* a module */
    assert_int_equal(bytes_left(LT_FILTER_FOCUS, "nowhere"), 0);
    assert_int_equal(bytes_left(LT_FILTER_IGNORE, "^leak$|strdup"), 33);
    assert_int_equal(bytes_left(LT_FILTER_IGNORE, "."), 3); /* anonymous code has nothing to match */
}

static void several_expressions_are_alternatives(void **state) {
    struct fake_report r = {0};
    (void)state;
    fake_names(NAMES);
    assert_int_equal(lt_filter_add(&r.filter, LT_FILTER_FOCUS, "leak"), 0);
    assert_int_equal(lt_filter_add(&r.filter, LT_FILTER_FOCUS, "strdup"), 0);
    assert_int_equal(lt_filter_add(&r.filter, LT_FILTER_IGNORE, "helper"), 0);
    fake_report_make(&r, DUMP, NULL);
    assert_int_equal(r.table.sums[LT_KIND_HEAP].live.bytes, 107);
    fake_report_free(&r);
}

static void a_bad_expression_is_refused(void **state) {
    struct lt_filter filter = {0};
    (void)state;
    assert_int_equal(lt_filter_add(&filter, LT_FILTER_HIDE, "a(b"), -EINVAL);
    lt_filter_free(&filter);
}

static void show_and_hide_take_frames_away(void **state) {
    struct fake_report r = {0};
    struct lt_stack stack = {0};
    (void)state;
    fake_names(NAMES);
    assert_int_equal(lt_filter_add(&r.filter, LT_FILTER_HIDE, "^helper$"), 0);
    assert_int_equal(lt_filter_add(&r.filter, LT_FILTER_SHOW, "^helper$|^leak$"), 0);
    fake_report_make(&r, DUMP, NULL);
    assert_int_equal(r.table.sums[LT_KIND_HEAP].live.bytes, 190); /* nothing is deselected */
    lt_stack_get(&stack, r.table.rows[1].site, &r.filter);
    assert_int_equal(stack.count, 1);
    assert_string_equal(stack.frames[0].function, "leak");
    assert_int_equal(stack.frames[0].line, 12);
    lt_stack_free(&stack);
    fake_report_free(&r);
}

static char *groups(enum lt_by by, const char *hide) {
    struct fake_report r = {.by = by};
    char *text = NULL;
    size_t size;
    fake_names(NAMES);
    if (hide)
        assert_int_equal(lt_filter_add(&r.filter, LT_FILTER_HIDE, hide), 0);
    fake_report_make(&r, DUMP, NULL);
    FILE *out = open_memstream(&text, &size);
    for (size_t i = 0; i < r.table.count; i++)
        fprintf(out, "%s %s %d/%d %zu\n", lt_kind_name(r.table.rows[i].kind), r.table.rows[i].label,
                (int)r.table.rows[i].figures.live.count, (int)r.table.rows[i].figures.live.bytes,
                r.table.rows[i].site_count);
    fclose(out);
    fake_report_free(&r);
    return text;
}

static void assert_groups(enum lt_by by, const char *hide, const char *expected) {
    char *text = groups(by, hide);
    assert_string_equal(text, expected);
    free(text);
}

/* operator new and libc's functions acquire for their callers: those are the place. */
static void groups_have_a_place_in_common(void **state) {
    (void)state;
    assert_groups(LT_BY_FUNCTION, NULL,
                  "heap leak 1/100 1\nheap helper 2/50 1\nheap Widget::make() 1/30 1\nheap copy_name 1/7 1\n"
                  "heap [anonymous code]+0x7000 1/3 1\nfile leak 5/0 1\n");
    assert_groups(LT_BY_FUNCTION, "^helper$",
                  "heap leak 3/150 2\nheap Widget::make() 1/30 1\nheap copy_name 1/7 1\n"
                  "heap [anonymous code]+0x7000 1/3 1\nfile leak 5/0 1\n");
    assert_groups(LT_BY_LINE, "^helper$",
                  "heap /src/a.c:10 1/100 1\nheap /src/a.c:12 2/50 1\nheap /src/w.cc:5 1/30 1\nheap /src/b.c:7 1/7 1\n"
                  "heap [anonymous code]+0x7000 1/3 1\nfile /src/a.c:10 5/0 1\n");
    assert_groups(LT_BY_FILE, "^helper$",
                  "heap /src/a.c 3/150 2\nheap /src/w.cc 1/30 1\nheap /src/b.c 1/7 1\n"
                  "heap no source known, [anonymous code] 1/3 1\nfile /src/a.c 5/0 1\n");
    assert_groups(LT_BY_MODULE, NULL,
                  "heap /usr/bin/app 5/187 4\nheap [anonymous code] 1/3 1\nfile /usr/bin/app 5/0 1\n");
}

static void rows_sort_by_every_key(void **state) {
    static const char *const made = "module app path=/a build-id=aa\n"
                                    "snapshot time=10000\n"
                                    "site heap app+0x1 live=1/100 alloc=9/900 age=1:1/100\n"
                                    "site heap app+0x2 live=3/30 alloc=3/30 age=5:3/30\n"
                                    "site heap app+0x3 live=2/99 alloc=2/9999 age=3:2/99\n"
                                    "site heap app+0x4 live=0/0 alloc=99/99\n";
    static const struct {
        enum lt_sort sort;
        unsigned order[4];
    } cases[] = {{LT_SORT_BYTES, {1, 3, 2, 4}},
                 {LT_SORT_COUNT, {2, 3, 1, 4}},
                 {LT_SORT_AGE, {2, 3, 1, 4}},
                 {LT_SORT_ALLOC_BYTES, {3, 1, 4, 2}},
                 {LT_SORT_ALLOC_COUNT, {4, 1, 2, 3}}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fake_report r = {.sort = cases[i].sort, .everything = true};
        fake_report_make(&r, made, NULL);
        for (size_t row = 0; row < 4; row++)
            assert_int_equal(r.model.dump->nodes[r.table.rows[row].site->node].offset, cases[i].order[row]);
        fake_report_free(&r);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(focus_and_ignore_look_at_whole_stacks), cmocka_unit_test(several_expressions_are_alternatives),
        cmocka_unit_test(a_bad_expression_is_refused),           cmocka_unit_test(show_and_hide_take_frames_away),
        cmocka_unit_test(groups_have_a_place_in_common),         cmocka_unit_test(rows_sort_by_every_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
