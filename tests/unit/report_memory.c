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
}

static void a_comparison_tells_the_changes(void **state) {
    (void)state;
    make(PROCESS "snapshot index=9\n" GROWN, PROCESS "snapshot index=7\n" SMALL);
    assert_says(
        "cgroup memory 762.9 MiB (+572.2 MiB) of 953.7 MiB (80.0 %), working set 190.7 MiB, of all its processes: "
        "page cache 600.8 MiB (+562.7 MiB), anonymous 124.0 MiB (0 B),");
    assert_says("what grew since snapshot 7 is mostly page cache");
    done();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_where_nothing_is_known),     cmocka_unit_test(what_a_group_consists_of),
        cmocka_unit_test(most_of_a_limit_is_page_cache),      cmocka_unit_test(without_a_limit_only_growth_is_told),
        cmocka_unit_test(what_grew_since_the_first_snapshot), cmocka_unit_test(a_comparison_tells_the_changes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
