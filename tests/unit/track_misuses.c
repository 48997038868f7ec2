/* Misuses: one row per call stack, opener and kind of misuse; what does not fit is counted all the same. */
#include "track/misuses.h"

#include "track/thread.h"
#include "track_world.h"

#include "unit.h"
#include "unit_child.h"

#include <errno.h>

static const struct lt_regs here = {0, 0, 0};

static void misuse(int stack, enum lt_misuse_what what, int fd, uint32_t opener) {
    world_use_stack(stack);
    lt_misuse_record(lt_thread_attach(), what, fd, opener, &here);
}

struct total {
    unsigned rows;
    uint64_t count;
};

static struct total total_of(uint32_t what) {
    struct total total = {0, 0};
    struct lt_misuse row;
    for (uint32_t i = 0; lt_misuse_row(i, &row); i++)
        if (row.what == what && what) {
            const struct lt_site *site = lt_site_at(row.site);
            CHILD_CHECK(site && site->alloc_count == 0);
            total.rows++;
            total.count += row.count;
        }
    return total;
}

static bool has_row(enum lt_misuse_what what, uint32_t opener, uint64_t count, int fd) {
    struct lt_misuse row;
    for (uint32_t i = 0; lt_misuse_row(i, &row); i++)
        if (row.what == what && row.opener == opener)
            return row.count == count && row.last_fd == fd;
    return false;
}

static void tell_apart(void) {
    struct lt_misuse row;
    CHILD_CHECK(!lt_misuse_row(0, &row));
    world_start();
    errno = 77;
    for (int fd = 3; fd < 13; fd++)
        misuse(1, LT_MISUSE_NOT_OPEN, fd, 5);
    misuse(1, LT_MISUSE_NOT_OPEN, 20, 6);
    misuse(1, LT_MISUSE_OF_STREAM, 21, 5);
    misuse(2, LT_MISUSE_OF_STREAM, 22, 0);
    misuse(2, LT_MISUSE_OF_OURS, 23, 0);
    CHILD_CHECK(errno == 77);
    CHILD_CHECK(has_row(LT_MISUSE_NOT_OPEN, 5, 10, 12) && has_row(LT_MISUSE_NOT_OPEN, 6, 1, 20));
    CHILD_CHECK(has_row(LT_MISUSE_OF_STREAM, 5, 1, 21) && has_row(LT_MISUSE_OF_STREAM, 0, 1, 22));
    CHILD_CHECK(has_row(LT_MISUSE_OF_OURS, 0, 1, 23) && total_of(LT_MISUSE_OF_DIRECTORY).rows == 0);
    CHILD_CHECK(total_of(LT_MISUSE_NOT_OPEN).rows == 2 && total_of(LT_MISUSE_OF_STREAM).rows == 2);
    lt_misuses_forked();
    CHILD_CHECK(total_of(LT_MISUSE_NOT_OPEN).rows + total_of(LT_MISUSE_OF_STREAM).rows == 0);
}

static void misuses_are_told_apart(void **state) {
    (void)state;
    assert_child_passes(tell_apart);
}

static void come_in_numbers(void) {
    world_start();
    for (uint32_t n = 0; n < 1000; n++)
        misuse((int)n % WORLD_STACKS, LT_MISUSE_NOT_OPEN, (int)n, 1 + n / WORLD_STACKS);
    const struct total total = total_of(LT_MISUSE_NOT_OPEN);
    CHILD_CHECK(total.rows > 1 && total.rows < 1000 && lt_misuses_without_stack() > 0);
    CHILD_CHECK(total.count + lt_misuses_without_stack() == 1000);
    misuse(1, LT_MISUSE_OF_OURS, 3, 0); /* has a table of its own */
    CHILD_CHECK(total_of(LT_MISUSE_OF_OURS).count == 1);
    lt_misuses_forked();
    CHILD_CHECK(lt_misuses_without_stack() == 0);
}

static void a_full_table_still_counts(void **state) {
    (void)state;
    assert_child_passes(come_in_numbers);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(misuses_are_told_apart),
    cmocka_unit_test(a_full_table_still_counts),
};

LT_UNIT_MAIN(tests)
