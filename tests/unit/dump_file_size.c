/* How large it gets: the cap, thinning, RLIMIT_FSIZE, full disks, file systems without holes. The reader of dumps is
 * the judge of what is left. */
#include "dump_writing.h"

#include "unit.h"
#include "unit_child.h"
#include "unit_files.h"

#include <errno.h>
#include <sys/mount.h>
#include <sys/resource.h>

enum { KIB = 1024, MIB = 1024 * KIB };

static char scratch[64], path[128];
static struct lt_dump_file file;
static struct writing w;

static void begin_with_cap(uint64_t max_bytes) {
    snprintf(path, sizeof path, "%s/dump.bin", scratch);
    lt_dump_file_init(&file, path, max_bytes);
    memset(&w, 0, sizeof w);
    w.file = &file;
}

static int set_up(void **state) {
    (void)state;
    scratch_new(scratch);
    begin_with_cap(0);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    if (file.fd >= 0)
        lt_close(file.fd);
    scratch_remove(scratch);
    return 0;
}

static uint64_t allocated(void) {
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    return (uint64_t)st.st_blocks * 512;
}

/* Writes `count` snapshots; how many were refused. The cap holds all the time. */
static size_t write_many(size_t count, size_t bytes, enum dictionary dictionary) {
    size_t refused = 0;
    for (size_t i = 0; i < count; i++) {
        int status = write_snapshot(&w, bytes, dictionary, false);
        assert_true(status == 0 || status == -EFBIG);
        refused += status != 0;
        if (file.max_bytes)
            assert_in_range(allocated(), 0, file.max_bytes);
    }
    return refused;
}

/* What is there is whole: it ends complete, spans from the first snapshot to the newest, and no dictionary row is lost.
 */
static const struct finding *assert_spans_the_run(void) {
    const struct finding *found = read_back(path);
    assert_string_equal(found->reason, "");
    assert_int_equal(found->end, LT_DUMP_COMPLETE);
    assert_int_equal(found->first, 1);
    assert_int_equal(found->last, w.index);
    assert_int_equal(found->nodes, w.nodes);
    return found;
}

/* A hole between dictionaries leaves a block or two: 300 of them take up to 2.4 of 6 MiB. */
static void thin_a_long_run(enum dictionary dictionary) {
    begin_with_cap(6 * MIB);
    assert_int_equal(write_many(300, 60 * KIB, dictionary), 0);
    const struct finding *found = assert_spans_the_run();
    assert_in_range(found->snapshots, 50, 102); /* 6 MiB / 60 KiB = 102 at most */
    assert_int_equal(file.interval_factor, 1);
}

static bool has_holes(void) {
    assert_int_equal(lt_dump_file_open(&file), 0);
    lt_close(file.fd);
    assert_int_equal(unlink(path), 0);
    return file.can_thin;
}

static void stays_under_its_cap_and_spans_the_run(void **state) {
    (void)state;
    lt_skip_when(!has_holes(), "the temporary directory's file system has no holes");
    thin_a_long_run(NODE_BEFORE);
}

static void keeps_dictionaries_inside_thinned_snapshots(void **state) {
    (void)state;
    lt_skip_when(!has_holes(), "the temporary directory's file system has no holes");
    thin_a_long_run(NODE_INSIDE);
}

static void does_so_on_a_tmpfs(void **state) {
    (void)state;
    lt_skip_when(!scratch_tmpfs(scratch, "8m"), "mounting a tmpfs is not permitted");
    thin_a_long_run(NODE_INSIDE);
}

/* Times are those of the commits: all in the same centisecond or two here, so the spread itself is tested in dump_runs.
 */
static void thins_small_snapshots_without_dictionaries_by_merging_holes(void **state) {
    (void)state;
    lt_skip_when(!has_holes(), "the temporary directory's file system has no holes");
    begin_with_cap(256 * KIB);
    assert_int_equal(write_snapshot(&w, 1 * KIB, NODE_BEFORE, false), 0);
    assert_int_equal(write_many(2000, 1 * KIB, NO_NEW_NODE), 0); /* four in a block */
    assert_in_range(assert_spans_the_run()->snapshots, 20, 256);
}

static void refuses_where_thinning_frees_nothing(void **state) {
    (void)state;
    begin_with_cap(64 * KIB);
    size_t refused = write_many(1500, 0, NODE_INSIDE); /* less than a block between two dictionaries */
    assert_true(refused > 0);
    assert_true(file.interval_factor > 1);
    const struct finding *found = read_back(path);
    assert_int_equal(found->end, LT_DUMP_COMPLETE);
    assert_int_equal(found->nodes, w.nodes);
    assert_true(found->snapshots > 100); /* it gave up before all of them were gone for nothing */
    assert_int_equal(write_snapshot(&w, 0, NODE_INSIDE, true), 0); /* the last one has its room */
    assert_int_equal(read_back(path)->last, w.index);
    assert_in_range(allocated(), 0, 64 * KIB);
}

static void doubles_the_interval_where_dictionaries_fill_the_file(void **state) {
    (void)state;
    lt_skip_when(!has_holes(), "the temporary directory's file system has no holes");
    begin_with_cap(1 * MIB);
    uint32_t factor = 1;
    while (write_snapshot(&w, 16 * KIB, NODE_BEFORE, false) == 0) {
        assert_true(file.interval_factor >= factor);
        factor = file.interval_factor;
        assert_true(w.index < 400);
    }
    assert_true(w.index > 100 && factor >= 8);
    assert_int_equal(write_snapshot(&w, 16 * KIB, NODE_BEFORE, true), 0);
    assert_int_equal(read_back(path)->last, w.index);
    assert_int_equal(read_back(path)->nodes, w.nodes);
    assert_in_range(allocated(), 0, 1 * MIB);
}

static void keeps_room_for_the_last_one(void **state) {
    (void)state;
    begin_with_cap(1 * MIB);
    assert_int_equal(write_snapshot(&w, 300 * KIB, NODE_BEFORE, false), 0);
    assert_int_equal(write_snapshot(&w, 500 * KIB, NODE_BEFORE, false), -EFBIG); /* no room for another like it */
    assert_int_equal(file.last_error, -EFBIG);
    assert_int_equal(file.interval_factor, 2);
    assert_int_equal(write_snapshot(&w, 500 * KIB, NODE_BEFORE, false), -EFBIG);
    assert_int_equal(file.interval_factor, 4); /* to try in vain costs, too */
    assert_int_equal(read_back(path)->snapshots, 1);
    assert_int_equal(write_snapshot(&w, 100 * KIB, NODE_BEFORE, false), 0);
    assert_int_equal(file.interval_factor, 1);
    assert_int_equal(write_snapshot(&w, 500 * KIB, NODE_BEFORE, true), 0);
    assert_int_equal(read_back(path)->last, w.index);
    assert_in_range(allocated(), 0, 1 * MIB);
}

static void never_thins_the_newest_whole_one(void **state) {
    (void)state;
    begin_with_cap(1 * MIB);
    assert_int_equal(write_snapshot(&w, 400 * KIB, NODE_BEFORE, false), 0);
    assert_int_equal(write_snapshot(&w, 800 * KIB, NODE_BEFORE, true), -EFBIG);
    assert_int_equal(read_back(path)->end, LT_DUMP_COMPLETE);
    assert_int_equal(read_back(path)->last, 1);
}

static void write_under_rlimit_fsize(void) {
    begin_with_cap(0);
    CHILD_CHECK(setrlimit(RLIMIT_FSIZE, &(struct rlimit){MIB, MIB}) == 0);
    size_t written = 0;
    uint32_t factor = 0;
    while (write_snapshot(&w, 50 * KIB, NODE_BEFORE, false) == 0) {
        CHILD_CHECK(file.interval_factor >= factor);
        factor = file.interval_factor;
        CHILD_CHECK((factor == 1) == (file.committed <= MIB / 2));
        written++;
    }
    CHILD_CHECK(file.last_error == -EFBIG && written >= 17 && written <= 19 && factor >= 4);
    CHILD_CHECK(write_snapshot(&w, 50 * KIB, NODE_BEFORE, true) == 0);
    CHILD_CHECK(file.committed <= MIB);
    CHILD_CHECK(read_back(path)->end == LT_DUMP_COMPLETE && read_back(path)->last == w.index);
}

static void keeps_under_rlimit_fsize(void **state) {
    (void)state;
    assert_child_passes(write_under_rlimit_fsize); /* SIGXFSZ would kill it */
}

static void lower_the_limit_below_the_size(void) {
    begin_with_cap(0);
    CHILD_CHECK(write_snapshot(&w, 50 * KIB, NODE_BEFORE, false) == 0);
    CHILD_CHECK(setrlimit(RLIMIT_FSIZE, &(struct rlimit){KIB, MIB}) == 0);
    CHILD_CHECK(write_snapshot(&w, 50 * KIB, NODE_BEFORE, true) == -EFBIG);
    CHILD_CHECK(setrlimit(RLIMIT_FSIZE, &(struct rlimit){MIB, MIB}) == 0);
    CHILD_CHECK(write_snapshot(&w, 50 * KIB, NODE_BEFORE, true) == 0);
    CHILD_CHECK(read_back(path)->snapshots == 2 && read_back(path)->end == LT_DUMP_COMPLETE);
}

static void survives_a_limit_lowered_in_the_run(void **state) {
    (void)state;
    assert_child_passes(lower_the_limit_below_the_size);
}

static void tries_again_after_the_disk_was_full(void **state) {
    (void)state;
    lt_skip_when(!scratch_tmpfs(scratch, "256k"), "mounting a tmpfs is not permitted");
    assert_int_equal(write_snapshot(&w, 100 * KIB, NODE_BEFORE, false), 0);
    assert_int_equal(write_snapshot(&w, 200 * KIB, NODE_BEFORE, false), -ENOSPC);
    assert_int_equal(file.last_error, -ENOSPC);
    const struct finding *found = read_back(path);
    assert_int_equal(found->end, LT_DUMP_COMPLETE); /* what did not fit is cut off again, and its blocks are free */
    assert_int_equal(found->snapshots, 1);
    assert_in_range(allocated(), 0, 120 * KIB);
    assert_int_equal(mount("none", scratch, "tmpfs", MS_REMOUNT, "size=1m"), 0);
    assert_int_equal(write_snapshot(&w, 200 * KIB, NODE_BEFORE, false), 0);
    assert_int_equal(read_back(path)->snapshots, 2);
    assert_int_equal(file.last_error, 0);
}

static void says_enospc_where_not_even_the_header_fits(void **state) {
    (void)state;
    lt_skip_when(!scratch_tmpfs(scratch, "64k"), "mounting a tmpfs is not permitted");
    char filler[160];
    static char zeros[64 * KIB];
    snprintf(filler, sizeof filler, "%s/filler", scratch);
    int fd = open(filler, O_WRONLY | O_CREAT, 0600);
    assert_int_equal(write(fd, zeros, sizeof zeros), sizeof zeros);
    close(fd);
    assert_int_equal(write_snapshot(&w, 1 * KIB, NODE_BEFORE, false), -ENOSPC);
    assert_false(file.header_written);
    assert_int_equal(unlink(filler), 0);
    assert_int_equal(write_snapshot(&w, 1 * KIB, NODE_BEFORE, false), 0);
    assert_int_equal(read_back(path)->snapshots, 1);
}

static void thins_old_ones_for_the_last_on_a_full_disk(void **state) {
    (void)state;
    lt_skip_when(!scratch_tmpfs(scratch, "512k"), "mounting a tmpfs is not permitted");
    for (int i = 0; i < 4; i++)
        assert_int_equal(write_snapshot(&w, 100 * KIB, NODE_INSIDE, false), 0);
    assert_int_equal(write_snapshot(&w, 200 * KIB, NODE_INSIDE, false),
                     -ENOSPC); /* a periodic one takes nothing away */
    assert_int_equal(read_back(path)->snapshots, 4);
    assert_int_equal(write_snapshot(&w, 200 * KIB, NODE_INSIDE, true), 0);
    const struct finding *found = read_back(path);
    assert_int_equal(found->end, LT_DUMP_COMPLETE);
    assert_int_equal(found->last, w.index);
    assert_int_equal(found->nodes, w.nodes);
    assert_in_range(found->snapshots, 2, 4);
}

/* ramfs can't free blocks. */
static void doubles_the_interval_where_there_are_no_holes(void **state) {
    (void)state;
    bool mounted = mount("none", scratch, "ramfs", 0, NULL) == 0;
    lt_skip_when(!mounted, "mounting a ramfs is not permitted");
    begin_with_cap(1 * MIB);
    size_t at_factor[17] = {0}, total = 0;
    while (write_snapshot(&w, 20 * KIB, NODE_BEFORE, false) == 0) {
        at_factor[__builtin_ctz(file.interval_factor)]++;
        total++;
    }
    assert_false(file.can_thin);
    assert_int_equal(file.last_error, -EFBIG);
    assert_in_range(at_factor[0], 23, 27); /* half of the file, then a quarter, ... */
    assert_in_range(at_factor[1], 11, 14);
    assert_in_range(at_factor[2], 5, 8);
    assert_int_equal(read_back(path)->snapshots, total);
    assert_int_equal(write_snapshot(&w, 20 * KIB, NODE_BEFORE, true), 0);
    assert_in_range(file.committed, 0, 1 * MIB);
}

static void write_without_memory(void) {
    struct lt_memory_use use;
    begin_with_cap(1 * MIB);
    CHILD_CHECK(lt_proc_memory_use(&use) == 0);
    CHILD_CHECK(setrlimit(RLIMIT_AS, &(struct rlimit){use.address_space, use.address_space}) == 0);
    size_t written = 0;
    while (write_snapshot(&w, 50 * KIB, NODE_BEFORE, false) == 0)
        written++;
    CHILD_CHECK(file.runs.items == NULL && file.last_error == -EFBIG && written >= 17 && file.interval_factor >= 4);
    CHILD_CHECK(write_snapshot(&w, 50 * KIB, NODE_BEFORE, true) == 0);
}

static void writes_on_without_memory_for_its_list(void **state) {
    (void)state;
    lt_skip_when(LT_SANITIZED, "AddressSanitizer's shadow does not fit under RLIMIT_AS");
    assert_child_passes(write_without_memory);
    assert_int_equal(read_back(path)->end, LT_DUMP_COMPLETE);
    assert_true(read_back(path)->snapshots >= 18);
}

static void is_readable_in_the_midst_of_a_snapshot(void **state) {
    (void)state;
    assert_int_equal(write_snapshot(&w, 50 * KIB, NODE_BEFORE, false), 0);
    assert_int_equal(write_open_snapshot(&w, 100 * KIB, NODE_INSIDE, false), 0); /* the process is killed here */
    const struct finding *found = read_back(path);
    assert_int_equal(found->end, LT_DUMP_TRUNCATED);
    assert_int_equal(found->snapshots, 1);
    assert_int_equal(lt_dump_file_begin(&file, false), 0); /* or it writes on, and what was begun is forgotten */
    assert_int_equal(read_back(path)->end, LT_DUMP_COMPLETE);
}

/* A dump that was thinned and whose writer lost its descriptor can be thinned on. */
static void thins_on_after_it_was_found_again(void **state) {
    (void)state;
    lt_skip_when(!has_holes(), "the temporary directory's file system has no holes");
    begin_with_cap(2 * MIB);
    for (int round = 0; round < 5; round++) {
        assert_int_equal(write_many(60, 40 * KIB, NODE_INSIDE), 0);
        close(file.fd);
    }
    assert_int_equal(file.generation, 1);
    assert_spans_the_run();
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

static const struct CMUnitTest tests[] = {
    TEST(stays_under_its_cap_and_spans_the_run),
    TEST(keeps_dictionaries_inside_thinned_snapshots),
    TEST(does_so_on_a_tmpfs),
    TEST(thins_small_snapshots_without_dictionaries_by_merging_holes),
    TEST(refuses_where_thinning_frees_nothing),
    TEST(doubles_the_interval_where_dictionaries_fill_the_file),
    TEST(keeps_room_for_the_last_one),
    TEST(never_thins_the_newest_whole_one),
    TEST(keeps_under_rlimit_fsize),
    TEST(survives_a_limit_lowered_in_the_run),
    TEST(tries_again_after_the_disk_was_full),
    TEST(says_enospc_where_not_even_the_header_fits),
    TEST(thins_old_ones_for_the_last_on_a_full_disk),
    TEST(doubles_the_interval_where_there_are_no_holes),
    TEST(writes_on_without_memory_for_its_list),
    TEST(is_readable_in_the_midst_of_a_snapshot),
    TEST(thins_on_after_it_was_found_again),
};
LT_UNIT_MAIN(tests)
