/* How much of anonymous memory is there, in the rows of a snapshot: exactly, or from a part of the pages where there is
 * much of it. The program itself knows what it has touched. */
#include "track_picture.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

enum { PAGE = 4096, MIB = 1 << 20 };

static char *map(size_t size, int protection, int flags) {
    char *at = mmap(NULL, size, protection, MAP_ANONYMOUS | MAP_NORESERVE | flags, -1, 0);
    CHILD_CHECK(at != MAP_FAILED && madvise(at, size, MADV_NOHUGEPAGE) == 0);
    return at;
}

/* Of [at, at + size): the sum of the rows, which may reach beyond it; LT_NO_NUMBER where one of them does not know. */
static uint64_t resident(const struct lt_dump_snapshot *of, const char *at, size_t size) {
    uint64_t sum = 0;
    for (size_t i = 0; i < of->mapping_count; i++) {
        const struct lt_dump_mapping *row = &of->mappings[i];
        if (row->start + row->length <= (uintptr_t)at || row->start >= (uintptr_t)at + size)
            continue;
        if (row->details.resident == LT_NO_NUMBER)
            return LT_NO_NUMBER;
        sum += row->details.resident;
    }
    return sum;
}

static void show_a_few_pages(void) {
    picture_start();
    char *some = map(100 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE);
    CHILD_CHECK(mprotect(some + 90 * PAGE, 10 * PAGE, PROT_NONE) == 0);
    some[0] = some[64 * PAGE] = some[89 * PAGE] = 1;
    CHILD_CHECK(mprotect(some, PAGE, PROT_READ) == 0 && mprotect(some + 89 * PAGE, PAGE, PROT_READ) == 0);
    char *shared = map(PAGE, PROT_READ | PROT_WRITE, MAP_SHARED);
    shared[0] = 1;
    const struct lt_dump_snapshot *shown = picture_take();
    CHILD_CHECK(resident(shown, some, PAGE) == PAGE && resident(shown, some + 89 * PAGE, PAGE) == PAGE);
    CHILD_CHECK(resident(shown, some + PAGE, 88 * PAGE) == PAGE);
    CHILD_CHECK(resident(shown, some + 90 * PAGE, 10 * PAGE) == LT_NO_NUMBER); /* not asked for */
    CHILD_CHECK(resident(shown, shared, PAGE) == LT_NO_NUMBER);
    world_remove_file();
}

#define skip_when_sanitized()                                                                                          \
    lt_skip_when(LT_SANITIZED, "AddressSanitizer maps terabytes, of which a thousandth part is looked at")

static void a_few_pages_are_counted_one_by_one(void **state) {
    (void)state;
    assert_child_passes(show_a_few_pages);
}

/* `size` bytes of which a page in `step` is there. */
static void show_every_nth(size_t size, size_t step, size_t slack) {
    picture_start();
    char *much = map(size, PROT_READ | PROT_WRITE, MAP_PRIVATE);
    for (size_t at = 0; at < size; at += step * PAGE)
        much[at] = 1;
    const uint64_t found = resident(picture_take(), much, size);
    if (found <= size / step - slack || found >= size / step + slack)
        fprintf(stderr, "%lu bytes are found, %zu are there\n", found, size / step);
    CHILD_CHECK(found > size / step - slack && found < size / step + slack);
    world_remove_file();
}

static void show_a_large_mapping(void) {
    show_every_nth((size_t)12 << 30, 64, 4 * MIB); /* 4 MiB: what else stands in the same rows */
}

static void a_large_mapping_is_read_in_long_runs(void **state) {
    (void)state;
    skip_when_sanitized();
    assert_child_passes(show_a_large_mapping);
}

static void show_many_pages(void) {
    show_every_nth((size_t)20 << 30, 256, 8 * MIB); /* 80 MiB, by a run in 21 */
}

static void of_many_pages_a_part_is_counted(void **state) {
    (void)state;
    skip_when_sanitized();
    assert_child_passes(show_many_pages);
}

static double cpu_seconds(void) {
    struct timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* 64 TiB, of which nothing is touched, are three hundred million runs. */
static void show_a_little_beside_a_reservation(void) {
    const size_t reserved = (size_t)64 << 40, size = 5 * MIB;
    picture_start();
    char *some = map(size, PROT_READ | PROT_WRITE, MAP_PRIVATE);
    memset(some, 1, size / 2);
    CHILD_CHECK(mprotect(some, size, PROT_READ) == 0); /* a row of its own */
    map(reserved, PROT_READ | PROT_WRITE, MAP_PRIVATE);
    const double start = cpu_seconds();
    const struct lt_dump_snapshot *shown = picture_take();
    CHILD_CHECK(cpu_seconds() - start < 0.2);
    CHILD_CHECK(resident(shown, some, size) == size / 2);
    world_remove_file();
}

static void what_is_only_reserved_spoils_nothing(void **state) {
    (void)state;
    assert_child_passes(show_a_little_beside_a_reservation);
}

static void show_the_process(void) {
    uint64_t anonymous = LT_NO_NUMBER;
    picture_start();
    char *some = map(32 * MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE);
    memset(some, 1, 32 * MIB);
    const struct lt_dump_snapshot *shown = picture_take();
    for (size_t i = 0; i < shown->counter_count; i++)
        if (shown->counters[i].group == LT_COUNTER_MEMORY && !strcmp(shown->counters[i].name, LT_MEMORY_RESIDENT_ANON))
            anonymous = shown->counters[i].value;
    CHILD_CHECK(anonymous != LT_NO_NUMBER && anonymous > 32 * MIB * 9ULL / 10);
    world_remove_file();
}

static void the_process_as_a_whole(void **state) {
    (void)state;
    assert_child_passes(show_the_process);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_few_pages_are_counted_one_by_one),
        cmocka_unit_test(a_large_mapping_is_read_in_long_runs),
        cmocka_unit_test(of_many_pages_a_part_is_counted),
        cmocka_unit_test(what_is_only_reserved_spoils_nothing),
        cmocka_unit_test(the_process_as_a_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
