/* Descriptors, mappings and threads in the report: what is selected, and the text, word by word. */
#include "report/kinds.h"
#include "report_fixture.h"

#define PROCESS                                                                                                        \
    "process exe=/usr/sbin/app arg=app arg=-v host=box pid=4711 start=1700000000000000000\n"                           \
    "module app path=/usr/sbin/app build-id=aa\n"                                                                      \
    "module libc path=/lib/libc.so.6 build-id=cc\n"

#define NAMES                                                                                                          \
    "app+0x10|connect_backend|/src/app/backend.c:88\n"                                                                 \
    "app+0x20|open_log|/src/app/log.c:12\n"                                                                            \
    "app+0x30|start_worker|/src/app/worker.c:7\n"                                                                      \
    "app+0x40|load_table|/src/app/table.c:40\n"                                                                        \
    "app+0x44|shut_down|/src/app/backend.c:120\n"                                                                      \
    "app+0x50|main|/src/app/main.c:20\n"                                                                               \
    "libc.so.6+0x60|__libc_start_call_main|-\n"

#define CONNECT  "app+0x10 app+0x50 libc+0x60"
#define OPEN_LOG "app+0x20 app+0x50 libc+0x60"

/* A service that is about to die of EMFILE. */
#define SICK                                                                                                           \
    PROCESS "snapshot time=1000\ncounter kernel open_files 20\n"                                                       \
            "site socket " CONNECT " live=1/0\nsite file " OPEN_LOG " live=2/0\n"                                      \
            "snapshot time=200000\ncounter kernel open_files 200\n"                                                    \
            "snapshot time=600000\ncounter kernel open_files 400\n"                                                    \
            "snapshot time=1200000 trigger=request\n"                                                                  \
            "site heap app+0x40 app+0x50 libc+0x60 live=1/74 first=100 last=100 age=14:1/74\n"                         \
            "site mapping app+0x40 app+0x50 libc+0x60 live=1/1048576 first=1000 last=1000 age=14:1/1048576\n"          \
            "site file " OPEN_LOG " live=2/0 alloc=40/0 first=1000 last=1100000 age=14:2/0\n"                          \
            "site socket " CONNECT " live=4/0 alloc=9000/0 first=1000 last=1100000 age=14:4/0\n"                       \
            "site thread app+0x30 app+0x50 libc+0x60 live=2/16777216 first=1000 last=1000 age=14:2/16777216\n"         \
            "counter kernel reconciled 1\ncounter kernel open_files 870\ncounter kernel open_files_limit 1024\n"       \
            "counter kernel mappings 2\ncounter kernel mappings_limit 65530\ncounter kernel threads 2\n"               \
            "counter kernel vanished_descriptors 2\ncounter kernel vanished_threads 1\n"                               \
            "descriptor 0 file origin=inherited target=/dev/null\n"                                                    \
            "descriptor 5 file " OPEN_LOG " birth=1000 target=/var/log/app.log size=33554432 deleted stream\n"         \
            "descriptor 6 file " OPEN_LOG " birth=1100000 cloexec target=/var/log/x.log size=5\n"                      \
            "descriptor 7 socket " CONNECT " birth=1000 protocol=tcp state=CLOSE_WAIT local=10.0.0.1:40000 "           \
            "peer=10.0.0.5:443 receive=31\n"                                                                           \
            "descriptor 8 socket " CONNECT " birth=2000 protocol=tcp state=CLOSE_WAIT local=10.0.0.1:40001 "           \
            "peer=10.0.0.5:443\n"                                                                                      \
            "descriptor 9 socket " CONNECT " birth=3000 protocol=tcp state=ESTABLISHED local=10.0.0.1:40002 "          \
            "peer=10.0.0.5:443\n"                                                                                      \
            "descriptor 10 socket origin=unattributed protocol=udp local=0.0.0.0:53\n"                                 \
            "descriptor 11 event " CONNECT " site=socket birth=1190000 cloexec note=\"count 3\"\n"                     \
            "mapping 0x400000 4096 module protection=5 origin=unattributed path=/usr/sbin/app\n"                       \
            "mapping 0x7f0000000000 1048576 anonymous app+0x40 app+0x50 libc+0x60 birth=1000 protection=6 "            \
            "resident=4096 shared\n"                                                                                   \
            "thread 4711 main runs name=app\n"                                                                         \
            "thread 4712 app+0x30 app+0x50 libc+0x60 birth=1000 runs stack=8388608 name=worker\n"                      \
            "thread 0 app+0x30 app+0x50 libc+0x60 birth=1000 stack=8388608\n"                                          \
            "misuse 1 app+0x44 app+0x50 libc+0x60 count=3 fd=7 opener " CONNECT " site=socket birth=3\n"               \
            "misuse 1 app+0x50 libc+0x60 count=1000 fd=1023\n"

static void a_sick_service(void **state) {
    struct fake_report r = {.top = 10};
    (void)state;
    fake_names(NAMES);
    assert_golden_text(&r, SICK, NULL, 0, "resources");
}

static void resource_by_resource(void **state) {
    struct fake_report r = {.list = true, .selection.kinds = ~LT_KIND_BIT(LT_KIND_HEAP)};
    (void)state;
    fake_names(NAMES);
    assert_golden_text(&r, SICK, NULL, 0, "resources-list");
}

static void a_cut_list(void **state) {
    struct fake_report r = {.list = true, .top = 1, .sort = LT_SORT_AGE, .selection.kinds = LT_DESCRIPTOR_KINDS};
    (void)state;
    fake_names(NAMES);
    assert_golden_text(&r, SICK, NULL, 0, "resources-cut");
}

static void two_snapshots(void **state) {
    struct fake_report r = {.sort = LT_SORT_GROWTH};
    (void)state;
    fake_names(NAMES);
    assert_golden_text(&r, SICK,
                       PROCESS "snapshot time=100\n"
                               "site socket " CONNECT " live=1/0\nsite file app+0x50 libc+0x60 live=2/0\n"
                               "site file " OPEN_LOG " live=2/0\n"
                               "descriptor 7 socket " CONNECT " state=ESTABLISHED\n"
                               "descriptor 8 socket " CONNECT " state=SYN_SENT\n",
                       0, "resources-comparison");
}

static void without_proc(void **state) {
    struct fake_report r = {0};
    (void)state;
    fake_names(NAMES);
    assert_golden_text(&r,
                       PROCESS "snapshot time=100\nsite file " OPEN_LOG " live=1/0\n"
                               "descriptor 3 file " OPEN_LOG " birth=50\ncounter kernel reconciled 0\n",
                       NULL, 0, "resources-no-proc");
}

static void near_the_limit_of_mappings(void **state) {
    struct fake_report r = {0};
    (void)state;
    fake_names(NAMES);
    fake_report_make(&r,
                     PROCESS "snapshot\nsite mapping app+0x40 app+0x50 live=1/4096\n"
                             "mapping 0x1000 4096 anonymous app+0x40 app+0x50\n"
                             "counter kernel mappings 81\ncounter kernel mappings_limit 100\n",
                     NULL);
    char *text = fake_text(&r, 0, false);
    assert_non_null(strstr(text, "\nwarning: 81 of 100 mappings exist: at the limit mmap, mprotect and pthread_create "
                                 "fail with ENOMEM\n      load_table  /src/app/table.c:40\n"));
    free(text);
    fake_report_free(&r);
}

static void limits_are_near_above_four_fifths(void **state) {
    (void)state;
    assert_false(lt_is_near_limit((struct lt_use){80, 100}));
    assert_true(lt_is_near_limit((struct lt_use){81, 100}));
    assert_true(lt_is_near_limit((struct lt_use){120, 100}));
    assert_false(lt_is_near_limit((struct lt_use){120, 0}));
    assert_false(lt_is_near_limit((struct lt_use){INT64_MAX / 2, INT64_MAX}));
}

/* What the sites of a kind hold. */
static uint64_t live_of(const struct fake_report *r, uint32_t kind) {
    uint64_t count = 0;
    for (size_t i = 0; i < r->model.site_count; i++)
        if (r->model.sites[i].kind == kind)
            count += r->model.sites[i].figures.live.count;
    return count;
}

static void kinds_select_rows(void **state) {
    struct fake_report r = {.selection.kinds = LT_KIND_BIT(LT_KIND_SOCKET)};
    (void)state;
    fake_report_make(&r, SICK, NULL);
    assert_int_equal(r.model.resources.descriptor_count, 4);
    assert_int_equal(r.model.resources.mapping_count, 0);
    assert_int_equal(r.model.resources.thread_count, 0);
    assert_int_equal(r.model.resources.misuse_count, 2);
    fake_report_free(&r);
    r = (struct fake_report){.selection.kinds = LT_KIND_BIT(LT_KIND_THREAD)};
    fake_report_make(&r, SICK, NULL);
    assert_int_equal(r.model.resources.descriptor_count, 0);
    assert_int_equal(r.model.resources.thread_count, 3);
    assert_int_equal(r.model.resources.misuse_count, 0);
    fake_report_free(&r);
}

/* Exact where classes of ages are not: one log is 19 minutes old, and the sockets are older than that. */
static void ages_select_rows_and_count_sites_anew(void **state) {
    struct fake_report r = {.selection.min_age_cs = 100001};
    (void)state;
    fake_report_make(&r, SICK, NULL);
    assert_int_equal(r.model.resources.descriptor_count, 5); /* 0 was inherited; 6, 10 and 11 are out */
    assert_int_equal(live_of(&r, LT_KIND_FILE), 1);
    assert_int_equal(live_of(&r, LT_KIND_SOCKET), 3);
    assert_int_equal(r.model.resources.thread_count, 3);
    assert_int_equal(r.model.resources.mapping_count, 1);
    fake_report_free(&r);
}

static void inheritable_ones(void **state) {
    struct fake_report r = {.selection = {.inheritable = true, .kinds = LT_DESCRIPTOR_KINDS}};
    (void)state;
    fake_report_make(&r, SICK, NULL);
    assert_int_equal(r.model.resources.descriptor_count, 6);
    assert_int_equal(live_of(&r, LT_KIND_FILE), 1);
    assert_int_equal(live_of(&r, LT_KIND_SOCKET), 3);
    assert_int_equal(live_of(&r, LT_KIND_HEAP), 0);
    fake_report_free(&r);
}

static void stacks_select_rows(void **state) {
    struct fake_report r = {0};
    (void)state;
    fake_names(NAMES);
    assert_int_equal(lt_filter_add(&r.filter, LT_FILTER_FOCUS, "backend"), 0);
    fake_report_make(&r, SICK, NULL);
    assert_int_equal(r.model.resources.descriptor_count, 4);
    assert_int_equal(r.model.resources.misuse_count, 1);
    fake_report_free(&r);
    r = (struct fake_report){0};
    assert_int_equal(lt_filter_add(&r.filter, LT_FILTER_IGNORE, "backend"), 0);
    fake_report_make(&r, SICK, NULL);
    assert_int_equal(r.model.resources.descriptor_count, 4); /* what has no stack stays */
    assert_int_equal(r.model.resources.misuse_count, 1);
    fake_report_free(&r);
}

/* Every row's site is one of those listed. */
static void sites_of_rows_are_sites(void **state) {
    struct fake_report r = {0};
    size_t found = 0;
    (void)state;
    fake_report_make(&r, SICK, NULL);
    for (size_t i = 0; i < r.model.resources.descriptor_count; i++)
        for (size_t k = 0; k < r.model.site_count; k++)
            found += lt_holder_is_known(&r.model.resources.descriptors[i]->holder) &&
                     lt_holder_site(&r.model, &r.model.resources.descriptors[i]->holder).id == r.model.sites[k].id;
    assert_int_equal(found, 6);
    fake_report_free(&r);
}

static void hostile_text_is_harmless(void **state) {
    struct fake_report r = {.list = true};
    (void)state;
    fake_report_make(&r,
                     "process exe=/x start=1700000000000000000\nmodule app path=app build-id=aa\nsnapshot\n"
                     "descriptor 3 socket app+0x10 target=\33[1m protocol=\33[2m state=\33[3m local=\33[4m peer=\33[5m "
                     "note=\33[6m\n"
                     "descriptor 4 socket app+0x10 state=CLOSE_WAIT local=\33[7m:1 peer=\33[8m:1\n"
                     "descriptor 5 file app+0x10 target=\33[9m\n"
                     "mapping 0x1000 4096 file app+0x10 path=\33[10m\nthread 7 app+0x10 name=\33[11m\n",
                     NULL);
    char *text = fake_text(&r, 0, false), *json = fake_json(&r);
    assert_null(strchr(text, '\33'));
    assert_non_null(strstr(text, "\\x1b[11m"));
    assert_null(strchr(json, '\33'));
    assert_non_null(strstr(json, "\\u001b[11m"));
    free(text);
    free(json);
    fake_report_free(&r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sick_service),
        cmocka_unit_test(resource_by_resource),
        cmocka_unit_test(a_cut_list),
        cmocka_unit_test(two_snapshots),
        cmocka_unit_test(without_proc),
        cmocka_unit_test(near_the_limit_of_mappings),
        cmocka_unit_test(limits_are_near_above_four_fifths),
        cmocka_unit_test(kinds_select_rows),
        cmocka_unit_test(ages_select_rows_and_count_sites_anew),
        cmocka_unit_test(inheritable_ones),
        cmocka_unit_test(stacks_select_rows),
        cmocka_unit_test(sites_of_rows_are_sites),
        cmocka_unit_test(hostile_text_is_harmless),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
