/* What a warm-up acquired: summed up, neither listed nor judged, unless it is asked for. */
#include "report_fixture.h"

#define DUMP                                                                                                           \
    "process exe=/usr/bin/app pid=4711 start=1700000000000000000\n"                                                    \
    "module app path=/usr/bin/app build-id=aa\n"                                                                       \
    "snapshot time=1000 trigger=exit\n"                                                                                \
    "site heap app+0x10 live=1000/50000 alloc=2000/90000 first=1 last=90 warm-up\n"                                    \
    "site heap app+0x10 live=3/150 alloc=4/200 first=200 last=900\n"                                                   \
    "site heap app+0x20 live=0/0 alloc=7/70 warm-up\n"                                                                 \
    "site heap app+0x30 live=5/5\n"                                                                                    \
    "site file app+0x10 live=2/0 warm-up\n"

static int64_t found(const struct fake_report *r, const char *text) {
    struct lt_policy policy;
    assert_int_equal(lt_policy_parse(&policy, text), 0);
    lt_policy_judge(&policy, &r->table, &r->model);
    return policy.found;
}

static void it_is_left_out_and_summed_up(void **state) {
    struct fake_report r = {.everything = true};
    (void)state;
    fake_report_make(&r, DUMP, NULL);
    assert_int_equal(r.table.count, 2);
    assert_int_equal(found(&r, "heap>0"), 8);
    assert_int_equal(found(&r, "heap.bytes>0"), 155);
    assert_int_equal(found(&r, "file>0"), 0);
    assert_int_equal(r.model.warm_up[LT_KIND_HEAP].live.count, 1000);
    assert_int_equal(r.model.warm_up[LT_KIND_HEAP].alloc.bytes, 90070);
    assert_int_equal(r.model.warm_up[LT_KIND_FILE].live.count, 2);
    char *text = fake_text(&r, 0, false), *json = fake_json(&r);
    assert_non_null(strstr(text, "acquired during the warm-up and still held: 48.8 KiB in 1000 blocks, 2 files; "
                                 "not listed below (--warm-up)\n"));
    assert_non_null(strstr(json, "\"warm_up\": {\n  \"heap\": {\n   \"live_count\": 1000,"));
    free(text);
    free(json);
    fake_report_free(&r);
}

static void it_is_there_when_asked_for(void **state) {
    struct fake_report r = {.everything = true, .selection.warm_up = true};
    (void)state;
    fake_report_make(&r, DUMP, NULL);
    assert_int_equal(r.table.count, 4); /* the same stack before and after is one site again */
    assert_int_equal(found(&r, "heap>0"), 1008);
    assert_int_equal(found(&r, "file>0"), 2);
    char *text = fake_text(&r, 0, false);
    assert_null(strstr(text, "warm-up"));
    free(text);
    fake_report_free(&r);
}

static void a_comparison_leaves_it_out_on_both_sides(void **state) {
    struct fake_report r = {0};
    (void)state;
    fake_report_make(&r, DUMP,
                     "module app path=/usr/bin/app build-id=aa\nsnapshot\n"
                     "site heap app+0x10 live=900/45000 warm-up\nsite heap app+0x30 live=5/5\n");
    assert_int_equal(r.table.count, 1);
    assert_int_equal(found(&r, "heap.growth>0"), 3);
    fake_report_free(&r);
}

static void kinds_that_are_not_wanted_are_not_told(void **state) {
    struct fake_report r = {.selection.kinds = 1 << LT_KIND_FILE};
    (void)state;
    fake_report_make(&r, DUMP, NULL);
    assert_int_equal(r.model.warm_up[LT_KIND_HEAP].live.count, 0);
    assert_int_equal(r.model.warm_up[LT_KIND_FILE].live.count, 2);
    fake_report_free(&r);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(it_is_left_out_and_summed_up),
    cmocka_unit_test(it_is_there_when_asked_for),
    cmocka_unit_test(a_comparison_leaves_it_out_on_both_sides),
    cmocka_unit_test(kinds_that_are_not_wanted_are_not_told),
};
LT_UNIT_MAIN(tests)
