/* Which blocks are the run-time libraries' own affair, and how few names it takes to know. */
#include "report_fixture.h"

#define MODULES                                                                                                        \
    "module app path=/usr/bin/app build-id=aa\n"                                                                       \
    "module libc path=/lib/x86_64-linux-gnu/libc.so.6 build-id=cc\n"                                                   \
    "module cxx path=/usr/lib/libstdc++.so.6.0.30 build-id=dd\n"                                                       \
    "module ld path=/lib64/ld-linux-x86-64.so.2 build-id=ee\n"                                                         \
    "module fake path=/opt/libc.sortof.so build-id=ff\n"                                                               \
    "snapshot\n"

static uint64_t kept(const char *names, const char *site) {
    struct fake_report r = {0};
    char made[1024];
    snprintf(made, sizeof made, "%s%s\n", MODULES, site);
    fake_names(names);
    fake_report_make(&r, made, NULL);
    uint64_t count = r.table.sums[LT_KIND_HEAP].kept.count;
    fake_report_free(&r);
    return count;
}

static void a_stream_buffer_is_kept(void **state) {
    (void)state;
    assert_int_equal(kept("libc.so.6+0x1|_IO_file_doallocate|-\n", "site heap libc+0x1 libc+0x2 app+0x3 live=1/1024"),
                     1);
    assert_int_equal(kept("libc.so.6+0x1|fopen|-\n", "site heap libc+0x1 app+0x3 live=1/472"), 0);
}

static void the_function_must_be_the_librarys(void **state) {
    (void)state;
    assert_int_equal(kept("app+0x3|setenv|-\n", "site heap app+0x3 live=1/10"), 0);
    /* called back by the program: what it acquires is its own */
    assert_int_equal(
        kept("libc.so.6+0x1|strdup|-\nlibc.so.6+0x2|setlocale|-\n", "site heap libc+0x1 app+0x3 libc+0x2 live=1/10"),
        0);
}

static void start_up_code_is_kept(void **state) {
    (void)state;
    assert_int_equal(kept("", "site heap cxx+0x1 ld+0x2 ld+0x3 live=1/72704"), 1);
    assert_int_equal(kept("", "site heap cxx+0x1 app+0x9 ld+0x2 live=1/72704"), 0);
    assert_int_equal(kept("", "site heap cxx+0x1 ld+0x2 live=1/72704 truncated"), 0);
    assert_int_equal(kept("", "site heap fake+0x1 ld+0x2 live=1/10"), 0);
    assert_int_equal(kept("", "site heap live=1/10"), 0); /* no frames: nobody knows */
}

/* start_thread calls a function of the program that ends in a jump to strdup: no frame is the program's. */
static void a_threads_tail_call_is_the_programs(void **state) {
    (void)state;
    assert_int_equal(kept("libc.so.6+0x1|strdup|-\nlibc.so.6+0x2|start_thread|-\n",
                          "site heap libc+0x1 libc+0x2 libc+0x3 live=1/10"),
                     0);
    assert_int_equal(kept("", "site heap ld+0x1 libc+0x2 live=1/10"), 0);
}

static void few_names_are_asked_for(void **state) {
    struct fake_dump dump;
    struct lt_model model;
    const struct lt_selection all = {0};
    struct lt_symbolizer *symbolizer = lt_symbolizer_new(NULL);
    (void)state;
    fake_names("");
    fake_dump_make(&dump, MODULES "site heap libc+0x1 app+0x2 app+0x3 live=1/10\nsite heap app+0x5 app+0x3 live=1/10\n"
                                  "site heap libc+0x7 app+0x2 live=0/0 alloc=1/10\n");
    lt_model_build(&model, &dump.loaded, lt_find_snapshot(&dump.loaded, LT_LAST_SNAPSHOT), &all);
    lt_runtime_mark(&model, symbolizer);
    assert_int_equal(fake_queries(), 1);
    /* and what was asked for one by one does not hide the rest of its stack */
    for (size_t i = 0; i < model.site_count; i++)
        lt_names_need(&model.sites[i]);
    lt_names_resolve(symbolizer, (struct lt_model *[]){&model}, 1);
    assert_int_equal(fake_queries(), model.dump->node_count - 1);
    lt_model_free(&model);
    fake_dump_free(&dump);
    lt_symbolizer_free(symbolizer);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stream_buffer_is_kept), cmocka_unit_test(the_function_must_be_the_librarys),
        cmocka_unit_test(start_up_code_is_kept),   cmocka_unit_test(a_threads_tail_call_is_the_programs),
        cmocka_unit_test(few_names_are_asked_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
