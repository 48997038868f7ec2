/* Two snapshots, site against site. */
#include "report_fixture.h"

#define OLD_APP  "module app path=/usr/bin/app build-id=aa bias=0x1000\nmodule libc path=/lib/libc.so.6 build-id=cc\n"
#define SAME_APP "module libc path=/lib/libc.so.6 build-id=cc bias=0x99\nmodule app path=/usr/bin/app build-id=aa\n"
#define NEW_APP  "module app path=/usr/bin/app build-id=bb\nmodule libc path=/lib/libc.so.6 build-id=cc\n"

/* "+60/2 new main a.c:1, ..." in the order of the report; then "= 1/5" for what is unchanged. */
static char *diff(const char *older, const char *newer) {
    struct fake_report r = {.sort = LT_SORT_GROWTH};
    struct lt_stack stack = {0};
    char *text = NULL;
    size_t size;
    fake_report_make(&r, newer, older);
    FILE *out = open_memstream(&text, &size);
    for (size_t i = 0; i < r.table.count; i++) {
        const struct lt_row *row = &r.table.rows[i];
        lt_stack_get(&stack, row->site, &r.filter);
        fprintf(out, "%+d/%+d %s %s", (int)lt_delta_bytes(&row->figures), (int)lt_delta_count(&row->figures),
                lt_change_word(lt_row_change(&row->figures)),
                stack.frames[0].function ? stack.frames[0].function : "?");
        if (row->site_count != 1)
            fprintf(out, " x%zu", row->site_count);
        fputc('\n', out);
    }
    if (r.table.unchanged_sites)
        fprintf(out, "= %zu\n", r.table.unchanged_sites);
    fclose(out);
    lt_stack_free(&stack);
    fake_report_free(&r);
    return text;
}

static void assert_diff(const char *older, const char *newer, const char *expected) {
    char *text = diff(older, newer);
    assert_string_equal(text, expected);
    free(text);
}

static void every_change_has_its_word(void **state) {
    (void)state;
    fake_names("app+0x1|grows|a.c:1\napp+0x2|shrinks|a.c:2\napp+0x3|goes|a.c:3\napp+0x4|comes|a.c:4\n"
               "app+0x5|stays|a.c:5\napp+0x6|counts|a.c:6\n");
    assert_diff(OLD_APP "snapshot\n"
                        "site heap app+0x1 libc+0x9 live=1/100\n"
                        "site heap app+0x2 live=5/500\n"
                        "site heap app+0x3 live=1/7\n"
                        "site heap app+0x5 live=1/9\n"
                        "site heap app+0x6 live=1/10\n",
                SAME_APP "snapshot\n"
                         "site heap app+0x1 libc+0x9 live=3/1100\n"
                         "site heap app+0x2 live=1/100\n"
                         "site heap app+0x3 live=0/0 alloc=1/7\n"
                         "site heap app+0x4 live=2/20\n"
                         "site heap app+0x5 live=1/9\n"
                         "site heap app+0x6 live=2/10\n",
                "+1000/+2 grown grows\n-400/-4 shrunk shrinks\n+20/+2 new comes\n-7/-1 gone goes\n+0/+1 grown counts\n"
                "= 1\n");
}

static void equal_identities_need_no_names(void **state) {
    (void)state;
    const char *made = OLD_APP "snapshot\nsite heap app+0x1 live=1/1\n";
    struct fake_dump a, b;
    struct lt_model newer, older;
    struct lt_table table = {0};
    const struct lt_selection all = {0};
    fake_names("");
    fake_dump_make(&a, made);
    fake_dump_make(&b, made);
    lt_model_build(&newer, &a.loaded, lt_find_snapshot(&a.loaded, LT_LAST_SNAPSHOT), &all);
    lt_model_build(&older, &b.loaded, lt_find_snapshot(&b.loaded, LT_LAST_SNAPSHOT), &all);
    lt_diff(&table, &newer, &older, NULL);
    assert_int_equal(table.count, 1);
    assert_int_equal(fake_queries(), 0);
    lt_table_free(&table);
    lt_model_free(&newer);
    lt_model_free(&older);
    fake_dump_free(&a);
    fake_dump_free(&b);
}

/* One binary, two places of one function: one is gone and the other is new, whatever their names. */
static void the_same_build_never_meets_by_names(void **state) {
    (void)state;
    fake_names("app+0x1|f|a.c:1\napp+0x2|f|a.c:2\n");
    assert_diff(OLD_APP "snapshot\nsite heap app+0x1 live=1/100\n", SAME_APP "snapshot\nsite heap app+0x2 live=1/100\n",
                "+100/+1 new f\n-100/-1 gone f\n");
}

static void a_rebuild_meets_by_lines_then_by_functions(void **state) {
    (void)state;
    fake_names("app+0x1|f|a.c:1\napp+0x2|g|a.c:20\napp+0x9|main|m.c:5\n"
               "app+0x101|f|a.c:1\napp+0x102|g|a.c:23\napp+0x109|main|m.c:6\napp+0x103|h|a.c:40\n");
    assert_diff(OLD_APP "snapshot\nsite heap app+0x1 app+0x9 libc+0x7 live=1/100\nsite heap app+0x2 live=1/10\n",
                NEW_APP "snapshot\nsite heap app+0x101 app+0x109 libc+0x7 live=1/150\nsite heap app+0x102 live=1/10\n"
                        "site heap app+0x103 live=1/1\n",
                "+50/+0 grown f\n+1/+1 new h\n= 1\n");
}

/* f acquires at two lines; both moved down by one. The lines alone would make them cross. */
static void lines_of_one_function_meet_in_their_order(void **state) {
    (void)state;
    fake_names("app+0x10|f|a.c:10\napp+0x20|f|a.c:11\n"
               "app+0x110|f|a.c:12\napp+0x120|f|a.c:13\n");
    assert_diff(OLD_APP "snapshot\nsite heap app+0x10 live=1/100\nsite heap app+0x20 live=1/1000\n",
                NEW_APP "snapshot\nsite heap app+0x110 live=1/101\nsite heap app+0x120 live=1/1002\n",
                "+2/+0 grown f\n+1/+0 grown f\n");
}

static void uneven_ones_are_joined(void **state) {
    (void)state;
    fake_names("app+0x10|f|a.c:10\napp+0x110|f|a.c:12\napp+0x120|f|a.c:13\n");
    assert_diff(OLD_APP "snapshot\nsite heap app+0x10 live=1/100\n",
                NEW_APP "snapshot\nsite heap app+0x110 live=1/101\nsite heap app+0x120 live=1/1002\n",
                "+1003/+1 grown f x2\n");
}

static void clones_of_the_compiler_are_one_function(void **state) {
    (void)state;
    fake_names("app+0x10|f(int) [clone .part.0]|-\napp+0x20|g.constprop.0|-\n"
               "app+0x110|f(int)|-\napp+0x120|g.isra.0|-\n");
    assert_diff(OLD_APP "snapshot\nsite heap app+0x10 live=1/100\nsite heap app+0x20 live=1/10\n",
                NEW_APP "snapshot\nsite heap app+0x110 live=1/100\nsite heap app+0x120 live=1/10\n", "= 2\n");
}

static void kinds_do_not_meet(void **state) {
    (void)state;
    fake_names("app+0x10|f|a.c:10\napp+0x110|f|a.c:10\n");
    assert_diff(OLD_APP "snapshot\nsite heap app+0x10 live=1/100\n",
                NEW_APP "snapshot\nsite file app+0x110 live=1/90\n", "-100/-1 gone f\n+90/+1 new f\n");
}

static void two_snapshots_of_one_dump(void **state) {
    struct fake_dump dump;
    struct lt_model newer, older;
    struct lt_table table = {0};
    const struct lt_selection all = {0};
    (void)state;
    fake_dump_make(&dump, OLD_APP "snapshot\nsite heap app+0x1 live=1/1\nsnapshot\nsite heap app+0x1 live=4/4\n"
                                  "site heap app+0x2 live=1/9\n");
    lt_model_build(&older, &dump.loaded, lt_find_snapshot(&dump.loaded, 1), &all);
    lt_model_build(&newer, &dump.loaded, lt_find_snapshot(&dump.loaded, 2), &all);
    lt_diff(&table, &newer, &older, NULL);
    lt_table_settle(&table, true);
    lt_table_sort(&table, LT_SORT_GROWTH);
    assert_int_equal(table.count, 2);
    assert_int_equal(lt_row_change(&table.rows[0].figures), LT_CHANGE_NEW);
    assert_int_equal(lt_delta_count(&table.rows[1].figures), 3);
    lt_table_free(&table);
    lt_model_free(&newer);
    lt_model_free(&older);
    fake_dump_free(&dump);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_change_has_its_word),
        cmocka_unit_test(equal_identities_need_no_names),
        cmocka_unit_test(the_same_build_never_meets_by_names),
        cmocka_unit_test(a_rebuild_meets_by_lines_then_by_functions),
        cmocka_unit_test(lines_of_one_function_meet_in_their_order),
        cmocka_unit_test(uneven_ones_are_joined),
        cmocka_unit_test(clones_of_the_compiler_are_one_function),
        cmocka_unit_test(kinds_do_not_meet),
        cmocka_unit_test(two_snapshots_of_one_dump),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
