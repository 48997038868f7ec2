/* Sampled dumps: standard errors from the dump to the figures, the comparison, the policies and the JSON. */
#include "report/estimate.h"

#include "report_fixture.h"

#include <math.h>

/* Distances of 4096 bytes: a unit of the bytes' variance is 16^2 bytes^2, of the counts' 1/256. */
#define HEAD "module app path=/usr/bin/app\n"
#define SITE                                                                                                           \
    "site heap app+0x10 live=300/30000 alloc=500/50000 first=1 last=950 age=0:100/10000 age=3:200/20000 "              \
    "samples=3/5 live-variance=25600/40000 alloc-variance=57600/90000\n"
#define OTHER   "site heap app+0x20 live=100/40000 samples=1/1 live-variance=14400/22500 alloc-variance=14400/22500\n"
#define FILES   "site file app+0x30 live=7/0\n"
#define SAMPLED HEAD "snapshot time=1000 sampling=4096\n" SITE OTHER FILES

static void errors_are_relative(void **state) {
    (void)state;
    assert_string_equal(lt_human_error(100, 25).text, "± 5.0 %");
    assert_string_equal(lt_human_error(100, 99).text, "± 9.9 %");
    assert_string_equal(lt_human_error(100, 100).text, "± 10 %");
    assert_string_equal(lt_human_error(-100, 1e6).text, "± 1000 %");
    assert_string_equal(lt_human_error(1e6, 1).text, "± < 0.1 %");
    assert_string_equal(lt_human_error(7, 0).text, "± 0 %");
    assert_string_equal(lt_human_error(0, 25).text, "");
    assert_int_equal(lt_standard_error(0), 0);
    assert_int_equal(lt_standard_error(24.9), 5);
    assert_true(lt_standard_error(0x1p100) == (uint64_t)1 << 50);
}

static const struct lt_figures *figures_of(const struct fake_report *r, const char *offset) {
    for (size_t i = 0; i < r->table.count; i++) {
        const struct lt_site *site = r->table.rows[i].site;
        if (site->model->dump->nodes[site->node].offset == strtoull(offset, NULL, 16))
            return &r->table.rows[i].figures;
    }
    fail_msg("no site at %s", offset);
    return NULL;
}

static void check(double found, double expected) {
    if (fabs(found - expected) > 1e-9 * fabs(expected))
        fail_msg("%f instead of %f", found, expected);
}

static void variances_come_from_the_dump_and_add_up(void **state) {
    struct fake_report r = {.everything = true};
    (void)state;
    fake_report_make(&r, SAMPLED, NULL);
    const struct lt_figures *site = figures_of(&r, "10"), *sum = &r.table.sums[LT_KIND_HEAP];
    check(site->live_variance.count, 100);
    check(site->live_variance.bytes, 40000 * 256.0);
    check(site->alloc_variance.count, 225);
    check(site->alloc_variance.bytes, 90000 * 256.0);
    assert_int_equal(site->samples, 3);
    check(sum->live_variance.count, 100 + 56.25);
    check(sum->live_variance.bytes, 62500 * 256.0);
    check(r.model.live_variance.bytes, 62500 * 256.0);
    check(r.table.sums[LT_KIND_FILE].live_variance.count, 0);
    assert_int_equal(r.table.estimated_kinds, 1 << LT_KIND_HEAP);
    fake_report_free(&r);
}

static void a_part_of_a_site_has_a_part_of_its_variance(void **state) {
    struct fake_report r = {.everything = true, .selection.min_age_cs = 400};
    (void)state;
    fake_report_make(&r, SAMPLED, NULL);
    const struct lt_figures *site = figures_of(&r, "10");
    assert_int_equal(site->live.count, 200);
    check(site->live_variance.count, 100 * 2 / 3.0);
    check(site->alloc_variance.count, 225);
    assert_int_equal(site->samples, 2);
    check(r.model.live_variance.count, 156.25);
    fake_report_free(&r);
}

static void rows_without_samples_are_left_alone(void **state) {
    struct fake_report r = {.everything = true};
    (void)state;
    fake_report_make(&r,
                     HEAD "snapshot sampling=4096\nsite heap app+0x8 live=1/1\n" SITE
                          "site heap app+0x18 live=2/2\n" OTHER FILES,
                     NULL);
    check(figures_of(&r, "8")->live_variance.count, 0);
    check(figures_of(&r, "10")->live_variance.count, 100);
    check(figures_of(&r, "18")->live_variance.count, 0);
    check(figures_of(&r, "20")->live_variance.count, 56.25);
    fake_report_free(&r);
}

static void a_change_is_as_unsure_as_both_sides(void **state) {
    struct fake_report r = {0};
    (void)state;
    fake_report_make(&r, SAMPLED,
                     HEAD "snapshot sampling=8192\nsite heap app+0x10 live=100/1000 samples=1/1 "
                          "live-variance=76800/10000 alloc-variance=0/0\n");
    const struct lt_figures *site = figures_of(&r, "10");
    check(site->live_variance.count, 100);
    check(site->base_variance.count, 300);
    check(site->base_variance.bytes, 10000 * 1024.0);
    char *json = fake_json(&r);
    assert_non_null(strstr(json, "\"delta_count\": 200"));
    assert_non_null(strstr(json, "\"delta_count_error\": 20"));
    free(json);
    fake_report_free(&r);
}

static void an_exact_side_adds_no_doubt(void **state) {
    struct fake_report r = {0};
    (void)state;
    fake_report_make(&r, SAMPLED, HEAD "snapshot\nsite heap app+0x10 live=100/1000\n");
    assert_int_equal(r.table.estimated_kinds, 1 << LT_KIND_HEAP);
    check(figures_of(&r, "10")->base_variance.count, 0);
    fake_report_free(&r);
}

static void check_verdict(const char *newer, const char *older, const char *policy_text, const char *expected) {
    struct fake_report r = {0};
    struct lt_policy policy;
    struct lt_pool pool = {0};
    fake_report_make(&r, newer, older);
    assert_int_equal(lt_policy_parse(&policy, policy_text), 0);
    lt_policy_judge(&policy, &r.table, &r.model);
    assert_string_equal(lt_policy_verdict(&policy, &pool), expected);
    lt_pool_free(&pool);
    fake_report_free(&r);
}

static void policies_judge_the_estimate_and_say_so(void **state) {
    (void)state;
    check_verdict(SAMPLED, NULL, "heap>0",
                  "breached: heap>0 (heap.blocks is about 400 ± 3.1 %, estimated from samples)");
    check_verdict(SAMPLED, NULL, "heap.bytes>1M",
                  "not breached: heap.bytes>1M (heap.bytes is about 70000, 68.4 KiB ± 5.7 %, estimated from samples)");
    check_verdict(SAMPLED, NULL, "heap.sites>1",
                  "breached: heap.sites>1 (heap.sites is about 2, of those that were sampled)");
    check_verdict(SAMPLED, NULL, "any>0", "breached: any>0 (any.blocks is about 407 ± 3.1 %, estimated from samples)");
    check_verdict(SAMPLED, NULL, "file>7", "not breached: file>7 (file.count is 7)");
    check_verdict(HEAD "snapshot sampling=4096\n", NULL, "heap>0",
                  "not breached: heap>0 (heap.blocks is about 0, estimated from samples)");
    check_verdict(HEAD "snapshot\n" OTHER, HEAD "snapshot sampling=4096\n" OTHER, "heap.growth>0",
                  "not breached: heap.growth>0 (heap.growth.blocks is about 0, estimated from samples)");
}

static void json_tells_the_errors(void **state) {
    struct fake_report r = {.everything = true};
    (void)state;
    fake_report_make(&r, SAMPLED, NULL);
    char *json = fake_json(&r);
    assert_non_null(strstr(json, "\"sampling_bytes\": 4096"));
    assert_non_null(strstr(json, "\"live_bytes_error\": 4000,"));  /* of the totals */
    assert_non_null(strstr(json, "\"live_bytes_error\": 3200,"));  /* of a site */
    assert_non_null(strstr(json, "\"release_count_error\": 11,")); /* the root of 225 - 100 */
    assert_non_null(strstr(json, "\"samples\": 3"));
    free(json);
    fake_report_free(&r);

    fake_report_make(&r, HEAD "snapshot\n" OTHER, NULL);
    json = fake_json(&r);
    assert_non_null(strstr(json, "\"sampling_bytes\": 0"));
    assert_null(strstr(json, "_error"));
    free(json);
    fake_report_free(&r);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(errors_are_relative),
    cmocka_unit_test(variances_come_from_the_dump_and_add_up),
    cmocka_unit_test(a_part_of_a_site_has_a_part_of_its_variance),
    cmocka_unit_test(rows_without_samples_are_left_alone),
    cmocka_unit_test(a_change_is_as_unsure_as_both_sides),
    cmocka_unit_test(an_exact_side_adds_no_doubt),
    cmocka_unit_test(policies_judge_the_estimate_and_say_so),
    cmocka_unit_test(json_tells_the_errors),
};
LT_UNIT_MAIN(tests)
