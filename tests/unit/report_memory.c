/* What the report makes of the kernel's numbers about memory. */
#include "report/memory.h"
#include "report_fixture.h"

#define PROCESS                                                                                                        \
    "process exe=/usr/bin/app pid=4711 start=1700000000000000000\nmodule app path=/usr/bin/app build-id=aa\n"
#define MIB "000000" /* nearly */

#define SMALL                                                                                                          \
    "counter memory cgroup_version 2\ncounter memory cgroup_used 200" MIB "\ncounter memory cgroup_limit 1000" MIB     \
    "\ncounter memory cgroup_file 50" MIB "\ncounter memory cgroup_shmem 10" MIB                                       \
    "\ncounter memory cgroup_inactive_file 30" MIB "\ncounter memory cgroup_anon 130" MIB                              \
    "\ncounter memory cgroup_kernel 20" MIB "\ncounter memory cgroup_slab 5" MIB "\ncounter memory cgroup_sock 0\n"

#define GROWN                                                                                                          \
    "counter memory cgroup_used 800" MIB "\ncounter memory cgroup_limit 1000" MIB                                      \
    "\ncounter memory cgroup_file 640" MIB "\ncounter memory cgroup_shmem 10" MIB                                      \
    "\ncounter memory cgroup_inactive_file 600" MIB "\ncounter memory cgroup_anon 130" MIB                             \
    "\ncounter memory cgroup_slab 5" MIB "\n"

static struct fake_report r;
static char *text;

static void make(const char *newer, const char *older) {
    r = (struct fake_report){0};
    fake_report_make(&r, newer, older);
    text = fake_text(&r, 0, false);
}

static void done(void) {
    free(text);
    fake_report_free(&r);
}

static void assert_says(const char *words) {
    if (!strstr(text, words))
        fail_msg("no \"%s\" in:\n%s", words, text);
}

static void nothing_where_nothing_is_known(void **state) {
    (void)state;
    make(PROCESS "snapshot\n", NULL);
    assert_null(strstr(text, "cgroup"));
    done();
    make(PROCESS "snapshot\ncounter memory cgroup_anon 5\n", NULL);
    assert_null(strstr(text, "cgroup"));
    done();
}

static void what_a_group_consists_of(void **state) {
    (void)state;
    make(PROCESS "snapshot\n" SMALL, NULL);
    assert_says(
        "\ncgroup memory 190.7 MiB of 953.7 MiB (20.0 %), working set 162.1 MiB, of all its processes: page cache "
        "38.1 MiB, anonymous 124.0 MiB, shared memory 9.5 MiB, kernel 19.1 MiB\n");
    assert_null(strstr(text, "no leak"));
    done();
}

static void most_of_a_limit_is_page_cache(void **state) {
    (void)state;
    make(PROCESS "snapshot\n" GROWN, NULL);
    assert_says(
        "page cache 600.8 MiB, anonymous 124.0 MiB, shared memory 9.5 MiB, kernel 4.8 MiB\n  mostly page cache, of "
        "files");
    done();
}

static void without_a_limit_only_growth_is_told(void **state) {
    (void)state;
    make(PROCESS "snapshot\ncounter memory cgroup_used 800" MIB "\ncounter memory cgroup_file 640" MIB "\n", NULL);
    assert_says("cgroup memory 762.9 MiB, of all its processes: page cache 610.4 MiB\n");
    assert_null(strstr(text, "no leak"));
    done();
}

static void what_grew_since_the_first_snapshot(void **state) {
    (void)state;
    make(PROCESS "snapshot index=3\n" SMALL "snapshot\nsnapshot\n" GROWN, NULL);
    assert_says("\n  what grew since snapshot 3 is mostly page cache, of files that were read or written: no leak");
    done();
    make(PROCESS "snapshot\n" SMALL "snapshot\ncounter memory cgroup_used 500" MIB
                 "\ncounter memory cgroup_file 100" MIB "\ncounter memory cgroup_shmem 10" MIB "\n",
         NULL);
    assert_null(strstr(text, "no leak"));
    done();
    make(PROCESS "snapshot\n" SMALL "snapshot\ncounter memory cgroup_used 199" MIB
                 "\ncounter memory cgroup_file 100" MIB "\ncounter memory cgroup_shmem 10" MIB "\n",
         NULL);
    assert_null(strstr(text, "what grew")); /* page cache did; the group did not */
    done();
}

static void a_comparison_tells_the_changes(void **state) {
    (void)state;
    make(PROCESS "snapshot index=9\n" GROWN, PROCESS "snapshot index=7\n" SMALL);
    assert_says(
        "cgroup memory 762.9 MiB (+572.2 MiB) of 953.7 MiB (80.0 %), working set 190.7 MiB, of all its processes: "
        "page cache 600.8 MiB (+562.7 MiB), anonymous 124.0 MiB,");
    assert_says("what grew since snapshot 7 is mostly page cache");
    done();
}

/* ---- of the process ---- */

#define MODULES                                                                                                        \
    "process exe=/usr/bin/app pid=4711 start=1700000000000000000\nmodule app path=/usr/bin/app build-id=aa\n"          \
    "module jemalloc path=/usr/lib/libjemalloc.so.2 build-id=bb\nmodule own path=/usr/lib/libleaktrack.so\n"           \
    "snapshot\ncounter memory resident_anon 300" MIB "\ncounter memory resident_file 6" MIB                            \
    "\ncounter memory resident_shmem 1" MIB "\ncounter memory swap 2" MIB "\n"

/* Resident bytes of each class; the last two are not told. */
#define GLIBC                                                                                                          \
    "mapping 0x10000000 200" MIB " heap resident=100" MIB "\nmapping 0x20000000 200" MIB                               \
    " \"malloc arena\" resident=60" MIB "\nmapping 0x30000000 200" MIB " anonymous resident=50" MIB                    \
    "\nmapping 0x40000000 200" MIB " anonymous app+0x30 resident=20" MIB "\nmapping 0x50000000 200" MIB                \
    " \"thread stack\" resident=3" MIB "\nmapping 0x60000000 200" MIB " stack resident=1" MIB                          \
    "\nmapping 0x70000000 200" MIB " leaktrack resident=8" MIB "\nmapping 0x80000000 200" MIB                          \
    " \"malloc arena\"\nmapping 0x90000000 200" MIB " file path=/x\n"

static struct lt_resident_use use_of(const char *rows) {
    struct lt_resident_use use;
    char *description;
    assert_true(asprintf(&description, "%s%s", MODULES, rows) > 0);
    make(description, NULL);
    free(description);
    assert_true(lt_resident_of(&r.model, &use));
    return use;
}

static uint64_t mib(uint64_t bytes) {
    return bytes / 1000000;
}

static void the_process_without_its_mappings(void **state) {
    (void)state;
    struct lt_resident_use use = use_of("site heap app+0x10 live=1/100\n");
    assert_int_equal(mib(use.total), 307);
    assert_false(use.is_split);
    assert_says("\nresident 292.8 MiB: files 5.7 MiB, shared memory 976.6 KiB, and swapped out 1.9 MiB\n");
    done();
}

static void malloc_keeps_what_is_not_in_use(void **state) {
    (void)state;
    struct lt_resident_use use = use_of(GLIBC "site heap app+0x10 live=1000/12" MIB "\n");
    assert_int_equal(use.in_use, 12000000 + 16 * 1000);
    assert_int_equal(use.kept, 160000000 - use.in_use);
    assert_int_equal(mib(use.mappings), 20);
    assert_int_equal(mib(use.stacks), 4);
    assert_int_equal(mib(use.own), 8);
    assert_int_equal(mib(use.other), 300 - 160 - 20 - 4 - 8);
    assert_true(lt_is_mostly_kept(&r.model, &use));
    assert_says(": heap in use 11.5 MiB, kept by malloc 141.1 MiB, mappings 19.1 MiB, stacks 3.8 MiB, files");
    assert_says("\n  malloc keeps more than is in use");
    done();
}

static void blocks_that_were_never_touched(void **state) {
    (void)state;
    struct lt_resident_use use = use_of(GLIBC "mapping 0xa0000000 200" MIB " \"malloc block\" resident=5" MIB
                                              "\nsite heap app+0x10 live=10/400" MIB "\n");
    assert_int_equal(mib(use.in_use), 165);
    assert_int_equal(use.kept, 0);
    assert_false(lt_is_mostly_kept(&r.model, &use));
    assert_null(strstr(text, "malloc keeps"));
    done();
}

/* Much is mapped, a little is touched, and looked at by chance. */
static void an_estimate_is_not_more_than_all(void **state) {
    (void)state;
    struct lt_resident_use use = use_of("mapping 0x10000000 9000" MIB " anonymous app+0x10 resident=4000" MIB
                                        "\nmapping 0xf00000000 200" MIB " stack resident=1" MIB "\n");
    assert_int_equal(mib(use.stacks), 1);
    assert_int_equal(mib(use.mappings), 299);
    assert_int_equal(use.other, 0);
    done();
}

static void another_allocator_maps_by_itself(void **state) {
    (void)state;
    struct lt_resident_use use = use_of(
        "mapping 0x10000000 200" MIB " anonymous own+0x1 jemalloc+0x10 app+0x10 resident=90" MIB
        "\nmapping 0x20000000 200" MIB " anonymous app+0x10 resident=7" MIB "\nsite heap app+0x10 live=1/30" MIB
        "\nsite mapping own+0x1 jemalloc+0x10 app+0x10 live=1/200" MIB "\nsite mapping app+0x10 live=1/200" MIB "\n");
    assert_int_equal(mib(use.in_use), 30);
    assert_int_equal(mib(use.kept), 59);
    assert_int_equal(mib(use.mappings), 7);
    assert_int_equal(mib(r.model.allocator.live.bytes), 200);
    assert_int_equal(r.model.site_count, 2); /* without the allocator's */
    assert_says("\nmalloc 1 mapping, 190.7 MiB: where the blocks of heap stand; in the figures, without sites\n");
    assert_says("(fragmentation), no leak. Its settings may");
    done();
}

static void nothing_is_said_of_a_heap_that_nobody_recorded(void **state) {
    struct lt_resident_use use;
    (void)state;
    make("process exe=/usr/bin/app option=LEAKTRACK_KINDS=mapping\nsnapshot\ncounter memory resident_anon 300" MIB
         "\nmapping 0x10000000 200" MIB " heap resident=100" MIB "\n",
         NULL);
    assert_true(lt_resident_of(&r.model, &use));
    assert_false(lt_is_mostly_kept(&r.model, &use));
    done();
}

static void what_sampling_estimates_is_marked(void **state) {
    (void)state;
#define SNAPSHOT(FIELDS, LIVE)                                                                                         \
    "process exe=/usr/bin/app\nmodule app path=/usr/bin/app build-id=aa\nsnapshot" FIELDS                              \
    "\ncounter memory resident_anon 300" MIB "\nmapping 0x10000000 200" MIB " heap resident=100" MIB "\n"              \
    "site heap app+0x10 live=" LIVE MIB "\n"
    make(SNAPSHOT(" sampling=524288", "1/30"), NULL);
    assert_says(": heap in use ~28.6 MiB, kept by malloc ~66.8 MiB, ");
    done();
    make(SNAPSHOT("", "1/40"), SNAPSHOT(" sampling=524288", "1/30"));
    assert_says(": heap in use 38.1 MiB (~+9.5 MiB), kept by malloc 57.2 MiB (~-9.5 MiB), ");
    done();
#undef SNAPSHOT
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_where_nothing_is_known),
        cmocka_unit_test(what_a_group_consists_of),
        cmocka_unit_test(most_of_a_limit_is_page_cache),
        cmocka_unit_test(without_a_limit_only_growth_is_told),
        cmocka_unit_test(what_grew_since_the_first_snapshot),
        cmocka_unit_test(a_comparison_tells_the_changes),
        cmocka_unit_test(the_process_without_its_mappings),
        cmocka_unit_test(malloc_keeps_what_is_not_in_use),
        cmocka_unit_test(blocks_that_were_never_touched),
        cmocka_unit_test(an_estimate_is_not_more_than_all),
        cmocka_unit_test(another_allocator_maps_by_itself),
        cmocka_unit_test(nothing_is_said_of_a_heap_that_nobody_recorded),
        cmocka_unit_test(what_sampling_estimates_is_marked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
