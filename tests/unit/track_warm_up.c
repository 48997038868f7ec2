/* LEAKTRACK_AFTER: sites of the warm-up are sites of their own, and it ends when its time has come. */
#include "track_world.h"

#include "os/clock.h"
#include "track/snapshot.h"
#include "unit.h"
#include "unit_child.h"

enum { BLOCKS = 50 };

static const struct lt_dump_site *site_with(const struct lt_dump_snapshot *snapshot, uint32_t warm_up, uint64_t live) {
    const struct lt_dump_site *found = NULL;
    for (size_t i = 0; i < snapshot->site_count; i++) {
        const struct lt_dump_site *site = &snapshot->sites[i];
        if ((site->flags & LT_SITE_WARMUP) != warm_up || site->live_count != live)
            continue;
        CHILD_CHECK(!found);
        found = site;
    }
    CHILD_CHECK(found != NULL);
    return found;
}

static void acquire(unsigned first, unsigned count, int stack) {
    for (unsigned number = first; number < first + count; number++)
        CHILD_CHECK(world_acquire(lt_thread_attach(), number, stack, 10));
}

static void warm_up(void) {
    const uint32_t never = UINT32_MAX - 1;
    world_start();
    world_open_file();
    lt_track_warm_up(never);
    acquire(0, BLOCKS, 0);
    acquire(BLOCKS, 7, 9); /* a truncated one */
    CHILD_CHECK(lt_track_warming_up(lt_clock_cs()));
    acquire(2 * BLOCKS, 1, 0);
    CHILD_CHECK(!lt_track_warming_up(never)); /* now it is over, whatever the clock says */
    CHILD_CHECK(!lt_track_warming_up(0));
    acquire(3 * BLOCKS, 3, 0);
    acquire(4 * BLOCKS, 2, 9);
    CHILD_CHECK(world_snapshot(false, 0) == 0);
    const struct lt_dump_snapshot *last = world_last(world_read(world_path));
    CHILD_CHECK(last->site_count == 4);
    const struct lt_dump_site *before = site_with(last, LT_SITE_WARMUP, BLOCKS + 1), *after = site_with(last, 0, 3);
    CHILD_CHECK(before->node == after->node); /* one stack in the dump */
    CHILD_CHECK(site_with(last, LT_SITE_WARMUP, 7)->flags == (LT_SITE_WARMUP | LT_SITE_TRUNCATED));
    CHILD_CHECK(site_with(last, 0, 2)->flags == LT_SITE_TRUNCATED);
    CHILD_CHECK(last->totals[LT_KIND_HEAP].live_count == BLOCKS + 1 + 7 + 3 + 2);
    world_remove_file();
}

static void its_sites_are_their_own(void **state) {
    (void)state;
    assert_child_passes(warm_up);
}

/* The clock has passed the end, and no tick has noticed. */
static void late_tick(void) {
    world_start();
    world_open_file();
    lt_track_warm_up(1);
    while (lt_clock_cs() < 1)
        ;
    acquire(0, 5, 0);
    CHILD_CHECK(world_snapshot(false, 0) == 0);
    const struct lt_dump_snapshot *last = world_last(world_read(world_path));
    CHILD_CHECK(last->site_count == 1 && last->sites[0].flags == 0);
    world_remove_file();
}

static void a_new_stack_asks_the_clock(void **state) {
    (void)state;
    assert_child_passes(late_tick);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(its_sites_are_their_own),
    cmocka_unit_test(a_new_stack_asks_the_clock),
};
LT_UNIT_MAIN(tests)
