/* Pages that were touched are in memory, and no others; the judge of the whole process is getrusage's reader of the
 * same counters, statm. */
#include "os/resident.h"

#include "os/file.h"
#include "os/memory.h"

#include "unit.h"
#include "unit_child.h"

#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

enum { PAGES = 64 };

static uint64_t words[PAGES];
static char buffer[64];

static char *map_pages(void) {
    char *at = mmap(NULL, PAGES * LT_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(at != MAP_FAILED && madvise(at, PAGES * LT_PAGE, MADV_NOHUGEPAGE) == 0);
    return at;
}

static void touched_pages_are_counted(void **state) {
    char *at = map_pages();
    const uintptr_t start = (uintptr_t)at;
    const int pages = lt_pages_open();
    (void)state;
    assert_true(pages >= 0);
    assert_int_equal(lt_pages_resident(pages, start, start + PAGES * LT_PAGE, words), 0);
    at[0] = at[7 * LT_PAGE] = at[63 * LT_PAGE] = 1;
    assert_int_equal(lt_pages_resident(pages, start, start + PAGES * LT_PAGE, words), 3);
    assert_int_equal(lt_pages_resident(pages, start + LT_PAGE, start + 8 * LT_PAGE, words), 1);
    assert_int_equal(madvise(at, 8 * LT_PAGE, MADV_DONTNEED), 0);
    assert_int_equal(lt_pages_resident(pages, start, start + PAGES * LT_PAGE, words), 1);
    assert_int_equal(munmap(at, PAGES * LT_PAGE), 0);
    assert_int_equal(lt_pages_resident(pages, start, start + PAGES * LT_PAGE, words), 0);
    lt_close(pages);
}

/* Resident and shared pages, from /proc/self/statm. */
static void read_statm(uint64_t *resident, uint64_t *shared) {
    FILE *file = fopen("/proc/self/statm", "r");
    assert_true(file && fscanf(file, "%*u %lu %lu", resident, shared) == 2 && fclose(file) == 0);
}

static void the_whole_process(void **state) {
    enum { SLACK = 4 << 20 }; /* the kernel adds up its processors' counts late */
    struct lt_resident resident;
    uint64_t all, shared;
    (void)state;
    assert_int_equal(lt_resident(&resident, buffer, sizeof buffer), 0);
    read_statm(&all, &shared);
    const int64_t pages = (int64_t)(all * LT_PAGE), of_files = (int64_t)(shared * LT_PAGE);
    assert_in_range(resident.anon + resident.file + resident.shmem + SLACK - (uint64_t)pages, 0, 2 * SLACK);
    assert_in_range(resident.file + resident.shmem + SLACK - (uint64_t)of_files, 0, 2 * SLACK);
    assert_true(resident.anon > 0 && resident.file > 0);
    assert_int_not_equal(resident.swap, LT_RESIDENT_UNKNOWN);
}

static void grows_by_what_is_touched(void **state) {
    enum { SIZE = 64 << 20 };
    struct lt_resident before, after;
    (void)state;
    assert_int_equal(lt_resident(&before, buffer, sizeof buffer), 0);
    char *at = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    memset(at, 1, SIZE);
    assert_int_equal(lt_resident(&after, buffer, sizeof buffer), 0);
    assert_in_range(after.anon - before.anon, SIZE * 9ULL / 10, SIZE * 11ULL / 10);
    munmap(at, SIZE);
}

static void without_proc(void) {
    struct lt_resident resident;
    if (chroot("/sys") != 0) { /* a directory without proc */
        puts("skipped: chroot is not permitted");
        _exit(0);
    }
    CHILD_CHECK(lt_resident(&resident, buffer, sizeof buffer) < 0);
    CHILD_CHECK(resident.anon == LT_RESIDENT_UNKNOWN && resident.swap == LT_RESIDENT_UNKNOWN);
    CHILD_CHECK(lt_pages_open() < 0);
}

static void without_proc_nothing_is_known(void **state) {
    (void)state;
    lt_skip_when(getuid() != 0, "only root may chroot");
    assert_child_passes(without_proc);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(touched_pages_are_counted),
        cmocka_unit_test(the_whole_process),
        cmocka_unit_test(grows_by_what_is_touched),
        cmocka_unit_test(without_proc_nothing_is_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
