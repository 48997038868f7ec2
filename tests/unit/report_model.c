/* One snapshot as sites: identity, merging, selection. */
#include "report_fixture.h"

#include "report/site_id.h"

/* The same program twice: other load addresses, other order of modules and rows, another node numbering. */
#define MODULES                                                                                                        \
    "module app path=/usr/bin/app build-id=00aaff bias=0x400000\n"                                                     \
    "module lib path=/usr/lib/lib.so build-id=bb\n"

static uint64_t id_of(const struct lt_model *model, uint64_t live_bytes) {
    for (size_t i = 0; i < model->site_count; i++)
        if (model->sites[i].figures.live.bytes == live_bytes)
            return model->sites[i].id;
    fail_msg("no site holds %llu bytes", (unsigned long long)live_bytes);
    return 0;
}

static void ids_survive_a_restart(void **state) {
    struct fake_dump first, second;
    struct lt_model a, b;
    const struct lt_selection all = {0};
    (void)state;
    fake_dump_make(&first, MODULES "snapshot\nsite heap lib+0x10 app+0x20 live=1/37\nsite heap app+0x21 live=1/41\n");
    fake_dump_make(&second, "module lib path=/opt/lib.so build-id=bb bias=0x9000\n"
                            "module app path=/opt/app build-id=00aaff bias=0x500000\n"
                            "snapshot\nsite heap app+0x7 live=1/5\nsite heap app+0x21 live=1/41\n"
                            "site heap lib+0x10 app+0x20 live=1/37\n");
    lt_model_build(&a, &first.loaded, lt_find_snapshot(&first.loaded, LT_LAST_SNAPSHOT), &all);
    lt_model_build(&b, &second.loaded, lt_find_snapshot(&second.loaded, LT_LAST_SNAPSHOT), &all);
    assert_int_equal(id_of(&a, 37), id_of(&b, 37));
    assert_int_equal(id_of(&a, 41), id_of(&b, 41));
    assert_int_not_equal(id_of(&a, 37), id_of(&a, 41));
    assert_int_not_equal(id_of(&b, 5), id_of(&b, 41));
    lt_model_free(&a);
    lt_model_free(&b);
    fake_dump_free(&first);
    fake_dump_free(&second);
}

/* docs/report-json.md defines the number; somebody's baseline depends on it. */
static void an_id_is_what_the_document_says(void **state) {
    struct fake_report r = {0};
    (void)state;
    fake_report_make(&r, MODULES "snapshot\nsite heap lib+0x10 app+0x20 live=1/37\n", NULL);
    uint64_t app = lt_id_bytes("\x00\xaa\xff", 3), lib = lt_id_bytes("\xbb", 1), id = 0x6c65616b747261;
    assert_int_equal(lt_id_bytes("a", 1), 0xaf63dc4c8601ec8c); /* FNV-1a's published test vector */
    id = lt_id_mix(lt_id_mix(id, app), 0x20);
    id = lt_id_mix(lt_id_mix(id, lib), 0x10);
    id = lt_id_mix(id, LT_KIND_HEAP);
    assert_int_equal(r.model.sites[0].id, id);
    assert_int_equal(id, 0x3ebdf985dd772ae7);
    fake_report_free(&r);
}

static void frames_of_the_library_do_not_count(void **state) {
    struct fake_report with = {0}, without = {0};
    (void)state;
    fake_report_make(&with,
                     "module shim path=/x/libleaktrack.so build-id=cc\n" MODULES
                     "snapshot\nsite heap shim+0x1 app+0x20 live=1/37\n",
                     NULL);
    fake_report_make(&without, MODULES "snapshot\nsite heap app+0x20 live=1/37\n", NULL);
    assert_int_equal(with.model.sites[0].id, without.model.sites[0].id);
    struct lt_stack stack = {0};
    lt_stack_get(&stack, &with.model.sites[0], &with.filter);
    assert_int_equal(stack.count, 1);
    assert_int_equal(stack.frames[0].offset, 0x20);
    lt_stack_free(&stack);
    fake_report_free(&with);
    fake_report_free(&without);
}

static void equal_stacks_merge(void **state) {
    struct fake_report r = {0};
    (void)state;
    fake_report_make(&r,
                     MODULES
                     "module again path=/usr/lib/lib.so build-id=bb bias=0x7000\n"
                     "snapshot time=1000\n"
                     "site heap lib+0x10 app+0x20 live=1/37 alloc=3/111 first=100 last=200 age=4:1/37\n"
                     "site heap again+0x10 app+0x20 live=2/74 alloc=2/74 first=50 last=900 truncated age=1:2/74\n",
                     NULL);
    assert_int_equal(r.model.site_count, 1);
    const struct lt_site *site = &r.model.sites[0];
    assert_int_equal(site->figures.live.count, 3);
    assert_int_equal(site->figures.live.bytes, 111);
    assert_int_equal(site->figures.alloc.count, 5);
    assert_int_equal(site->figures.first_birth_ns, 1700000000500000000);
    assert_int_equal(site->figures.last_birth_ns, 1700000009000000000);
    assert_int_equal(site->figures.youngest, 1);
    assert_int_equal(site->figures.oldest, 4);
    assert_true(site->truncated);
    fake_report_free(&r);
}

static struct lt_amount older_than(uint64_t min_age_cs, const char *description) {
    struct fake_report r = {.selection.min_age_cs = min_age_cs, .everything = true};
    fake_report_make(&r, description, NULL);
    struct lt_amount live = r.table.sums[LT_KIND_HEAP].live;
    fake_report_free(&r);
    return live;
}

static void min_age_takes_whole_classes(void **state) {
    const char *made = MODULES "snapshot time=2000\n"
                               "site heap app+0x20 live=6/60 first=100 last=1950 age=0:1/10 age=3:2/20 age=4:3/30\n";
    (void)state;
    assert_int_equal(older_than(0, made).count, 6);
    assert_int_equal(older_than(100, made).count, 5);
    assert_int_equal(older_than(400, made).count, 5); /* class 3 is 4 s and more */
    assert_int_equal(older_than(401, made).count, 3);
    assert_int_equal(older_than(800, made).bytes, 30);
    assert_int_equal(older_than(801, made).count, 0);
}

static void min_age_knows_the_births_of_a_site(void **state) {
    /* all born at 10.00 s, seen at 20.00 s: class 4 (8 to 16 s), exactly 10 s old */
    const char *made = MODULES "snapshot time=2000\nsite heap app+0x20 live=2/20 first=1000 last=1000 age=4:2/20\n";
    (void)state;
    assert_int_equal(older_than(1000, made).count, 2);
    assert_int_equal(older_than(1001, made).count, 0);
}

static void min_age_is_exact_with_blocks(void **state) {
    const char *made = MODULES "snapshot time=2000\n"
                               "site heap app+0x20 live=3/30 first=100 last=1950 age=0:1/10 age=3:1/10 age=5:1/10\n"
                               "site heap app+0x30 live=1/9 first=1 last=1 age=5:1/9\n"
                               "block 0x7000 heap app+0x20 size=10 birth=100\n"
                               "block 0x8000 heap app+0x20 size=10 birth=1500\n"
                               "block 0x9000 heap app+0x20 size=10 birth=1950\n"
                               "block 0xa000 heap app+0x30 size=9 birth=1\n";
    (void)state;
    assert_int_equal(older_than(500, made).count, 3);
    assert_int_equal(older_than(501, made).count, 2);
    assert_int_equal(older_than(1900, made).bytes, 19);
    assert_int_equal(older_than(1901, made).bytes, 9);
}

static void kinds_are_selected(void **state) {
    struct fake_report r = {.selection.kinds = 1u << LT_KIND_FILE};
    (void)state;
    fake_report_make(&r, MODULES "snapshot\nsite heap app+0x20 live=1/37\nsite file app+0x20 live=2/0\n", NULL);
    assert_int_equal(r.table.count, 1);
    assert_int_equal(r.table.rows[0].kind, LT_KIND_FILE);
    fake_report_free(&r);
}

static void snapshots_are_found(void **state) {
    struct fake_dump dump;
    (void)state;
    fake_dump_make(&dump, "snapshot index=2\nsnapshot index=3\nsnapshot index=8\n");
    assert_int_equal(lt_find_snapshot(&dump.loaded, LT_LAST_SNAPSHOT)->index, 8);
    assert_int_equal(lt_find_snapshot(&dump.loaded, LT_FIRST_SNAPSHOT)->index, 2);
    assert_int_equal(lt_find_snapshot(&dump.loaded, -1)->index, 3);
    assert_int_equal(lt_find_snapshot(&dump.loaded, 3)->index, 3);
    assert_null(lt_find_snapshot(&dump.loaded, 4));
    assert_null(lt_find_snapshot(&dump.loaded, -3));
    fake_dump_free(&dump);
}

/* More rows than anybody reads, deep stacks, equal sizes: nothing may be quadratic. The time limit of the test judges.
 */
static void a_hundred_thousand_sites(void **state) {
    enum { SITES = 100000, DEPTH = 20, CHUNK = 128 };
    char *text = NULL;
    size_t size;
    (void)state;
    FILE *out = open_memstream(&text, &size);
    fputs(MODULES "snapshot\n", out);
    for (unsigned i = 0; i < SITES; i++) {
        fprintf(out, "site heap app+0x%x", 0x1000 + i);
        for (unsigned depth = 1; depth < DEPTH; depth++)
            fprintf(out, " lib+0x%x", i / CHUNK * DEPTH + depth);
        fprintf(out, " live=1/%u\n", 10 + i % 3);
    }
    fclose(out);
    struct fake_report r = {.by = LT_BY_STACK};
    fake_report_make(&r, text, text);
    assert_int_equal(r.table.count, 0);
    assert_int_equal(r.table.unchanged_sites, SITES);
    fake_report_free(&r);
    free(text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_survive_a_restart),
        cmocka_unit_test(an_id_is_what_the_document_says),
        cmocka_unit_test(frames_of_the_library_do_not_count),
        cmocka_unit_test(equal_stacks_merge),
        cmocka_unit_test(min_age_takes_whole_classes),
        cmocka_unit_test(min_age_knows_the_births_of_a_site),
        cmocka_unit_test(min_age_is_exact_with_blocks),
        cmocka_unit_test(kinds_are_selected),
        cmocka_unit_test(snapshots_are_found),
        cmocka_unit_test(a_hundred_thousand_sites),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
