/* Which snapshots thinning chooses, and how holes merge. */
#include "track/dump_runs.h"

#include "unit.h"

#include <stdlib.h>

static struct lt_dump_runs runs;

static int set_up(void **state) {
    (void)state;
    lt_runs_clear(&runs);
    return 0;
}

/* Snapshots of 100 bytes at the given times, one behind the other. */
static void commit_at(uint32_t time_cs) {
    uint64_t end = runs.count ? runs.items[runs.count - 1].offset + runs.items[runs.count - 1].length : 1000;
    assert_true(lt_runs_add(&runs, end, 60));
    assert_true(lt_runs_add(&runs, end + 60, 40));
    lt_runs_commit(&runs, time_cs);
}

static struct lt_dump_run thin_one_run(uint32_t snapshot) {
    struct lt_dump_run hole;
    assert_true(lt_runs_thin(&runs, snapshot, &hole));
    return hole;
}

static void never_chooses_the_newest(void **state) {
    (void)state;
    assert_int_equal(lt_runs_victim(&runs), 0);
    commit_at(100);
    assert_int_equal(lt_runs_victim(&runs), 0);
    assert_true(lt_runs_add(&runs, 1100, 50)); /* one that is being written does not count */
    assert_int_equal(lt_runs_victim(&runs), 0);
    lt_runs_commit(&runs, 200);
    assert_int_equal(lt_runs_victim(&runs), 1);
    thin_one_run(1);
    assert_int_equal(lt_runs_victim(&runs), 0);
}

static void chooses_the_one_in_the_narrowest_gap(void **state) {
    (void)state;
    static const uint32_t times[] = {100, 200, 400, 800, 1600, 1700, 2500};
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++)
        commit_at(times[i]);
    uint32_t victim, gap, least;
    for (size_t i = 0; (victim = lt_runs_victim(&runs)) != 0; i++) {
        /* By definition: no other inner one has a narrower gap. */
        least = UINT32_MAX;
        gap = UINT32_MAX;
        uint32_t alive[8], count = 0;
        for (uint32_t k = 0; k < runs.count; k++)
            if (runs.items[k].snapshot)
                alive[count++] = runs.items[k].snapshot;
        for (uint32_t k = 1; k + 1 < count; k++) {
            uint32_t this_gap = times[alive[k + 1] - 1] - times[alive[k - 1] - 1];
            least = this_gap < least ? this_gap : least;
            gap = alive[k] == victim ? this_gap : gap;
        }
        assert_int_equal(gap, least);
        assert_int_not_equal(victim, 7);
        if (i == 0)
            assert_int_equal(victim, 2); /* 400 - 100 */
        thin_one_run(victim);
    }
    assert_int_equal(runs.snapshots, 1);
}

static void keeps_a_long_series_evenly_spread(void **state) {
    (void)state;
    enum { KEPT = 64, ALL = 5000 };
    uint32_t last = 0, widest = 0, narrowest = UINT32_MAX, kept = 0;
    for (uint32_t i = 1; i <= ALL; i++) {
        commit_at(i * 3000);
        while (runs.snapshots > KEPT)
            thin_one_run(lt_runs_victim(&runs));
    }
    for (uint32_t i = 0; i < runs.count; i++)
        if (runs.items[i].snapshot) {
            uint32_t gap = runs.items[i].snapshot - last;
            if (kept++ && kept < KEPT) {
                widest = gap > widest ? gap : widest;
                narrowest = gap < narrowest ? gap : narrowest;
            }
            last = runs.items[i].snapshot;
        }
    assert_int_equal(kept, KEPT);
    assert_int_equal(last, ALL);
    assert_in_range(widest, ALL / KEPT, 4 * ALL / KEPT);
    assert_in_range(narrowest, 1, widest);
    assert_int_equal(runs.items[0].snapshot, 1); /* the first stays as long as there is another */
    assert_true(runs.count <= 2 * KEPT + 1);     /* holes between them are merged */
}

static void merges_holes_that_touch(void **state) {
    (void)state;
    for (uint32_t i = 1; i <= 5; i++)
        commit_at(i * 100);
    struct lt_dump_run hole = thin_one_run(2);
    assert_int_equal(hole.offset, 1100);
    assert_int_equal(hole.length, 100);
    hole = thin_one_run(4);
    assert_int_equal(hole.offset, 1300);
    assert_int_equal(hole.length, 100);
    hole = thin_one_run(3);
    assert_int_equal(hole.offset, 1100);
    assert_int_equal(hole.length, 300);
    hole = thin_one_run(1);
    assert_int_equal(hole.offset, 1000);
    assert_int_equal(hole.length, 400);
    assert_int_equal(runs.count, 2);
}

/* snapshot 1 | dictionary | snapshot 2, first half | dictionary | second half | snapshot 3 */
static void leaves_dictionaries_between_runs_alone(void **state) {
    (void)state;
    struct lt_dump_run hole;
    assert_true(lt_runs_add(&runs, 100, 50));
    lt_runs_commit(&runs, 1);
    assert_true(lt_runs_add(&runs, 200, 50));
    assert_true(lt_runs_add(&runs, 300, 50));
    assert_int_equal(lt_runs_pending_bytes(&runs), 100);
    lt_runs_commit(&runs, 2);
    assert_int_equal(lt_runs_pending_bytes(&runs), 0);
    assert_true(lt_runs_add(&runs, 350, 50));
    lt_runs_commit(&runs, 3);

    assert_true(lt_runs_thin(&runs, 2, &hole));
    assert_int_equal(hole.offset, 200);
    assert_int_equal(hole.length, 50);
    assert_int_equal(runs.snapshots, 3);
    assert_true(lt_runs_thin(&runs, 2, &hole));
    assert_int_equal(hole.offset, 300);
    assert_int_equal(hole.length, 50);
    assert_int_equal(runs.snapshots, 2);
    assert_false(lt_runs_thin(&runs, 2, &hole));
    assert_int_equal(runs.count,
                     3); /* the hole at 200 can't grow and is forgotten; the one at 300 touches snapshot 3 */
    assert_true(lt_runs_thin(&runs, 1, &hole));
    assert_int_equal(hole.offset, 100);
    assert_int_equal(hole.length, 50);
}

static void forgets_what_is_rolled_back(void **state) {
    (void)state;
    commit_at(100);
    assert_true(lt_runs_add(&runs, 1100, 50));
    assert_true(lt_runs_add(&runs, 1200, 50));
    lt_runs_rollback(&runs);
    assert_int_equal(runs.count, 1);
    assert_int_equal(lt_runs_pending_bytes(&runs), 0);
    lt_runs_commit(&runs, 200); /* nothing was written: no snapshot */
    assert_int_equal(runs.snapshots, 1);
    commit_at(300);
    assert_int_equal(runs.items[1].snapshot, 2);
}

static void says_no_when_the_list_is_full(void **state) {
    (void)state;
    struct lt_dump_run hole;
    uint64_t offset = 0;
    while (lt_runs_add(&runs, offset, 50)) { /* every one behind a dictionary */
        lt_runs_commit(&runs, (uint32_t)offset);
        offset += 100;
    }
    assert_in_range(runs.count, LT_RUNS_MAX / 2, LT_RUNS_MAX);
    assert_true(lt_runs_thin(&runs, lt_runs_victim(&runs), &hole));
    assert_true(lt_runs_add(&runs, offset, 50));
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

static const struct CMUnitTest tests[] = {
    TEST(never_chooses_the_newest),
    TEST(chooses_the_one_in_the_narrowest_gap),
    TEST(keeps_a_long_series_evenly_spread),
    TEST(merges_holes_that_touch),
    TEST(leaves_dictionaries_between_runs_alone),
    TEST(forgets_what_is_rolled_back),
    TEST(says_no_when_the_list_is_full),
};
LT_UNIT_MAIN(tests)
