/* Mappings: the rows are what the kernel lists, to the byte, cut where the holder changes. */
#include "track_picture.h"

#include "track/mappings.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum { PAGE = 4096 };

struct line {
    uintptr_t start, end;
    unsigned protection;
    bool shared;
};
static struct line lines[4096];
static size_t line_count;

static void read_maps(void) {
    FILE *maps = fopen("/proc/self/maps", "r");
    char text[512], rights[5];
    line_count = 0;
    while (fgets(text, sizeof text, maps)) {
        struct line *line = &lines[line_count++];
        CHILD_CHECK(sscanf(text, "%lx-%lx %4s", &line->start, &line->end, rights) == 3);
        line->protection = (rights[0] == 'r' ? 4 : 0) | (rights[1] == 'w' ? 2 : 0) | (rights[2] == 'x' ? 1 : 0);
        line->shared = rights[3] == 's';
    }
    fclose(maps);
}

static const struct line *line_at(uintptr_t address) {
    for (size_t i = 0; i < line_count; i++)
        if (lines[i].start <= address && address < lines[i].end)
            return &lines[i];
    return NULL;
}

/* What was mapped before the snapshot is in the rows with its rights, and what else is there is the library's own. */
static bool matches_the_kernel(const struct lt_dump_snapshot *of) {
    uintptr_t end = 0;
    uint64_t listed = 0, shown = 0;
    for (size_t i = 0; i < line_count; i++)
        listed += lines[i].end - lines[i].start;
    for (size_t i = 0; i < of->mapping_count; i++) {
        const struct lt_dump_mapping *row = &of->mappings[i];
        const struct line *line = line_at(row->start);
        CHILD_CHECK(row->start >= end && row->start % PAGE == 0 && row->length % PAGE == 0 && row->length > 0);
        end = row->start + row->length;
        if (!line && row->mapping_class == LT_MAPPING_OWN)
            continue; /* memory of the snapshot itself */
        if (!line || end > line->end || line->protection != row->protection ||
            line->shared != !!(row->flags & LT_MAPPING_SHARED)) {
            fprintf(stderr, "no such mapping: %lx-%lx class %u\n", row->start, end, row->mapping_class);
            return false;
        }
        shown += row->length;
    }
    if (shown != listed)
        fprintf(stderr, "%lu bytes are mapped, %lu are shown\n", listed, shown);
    return shown == listed && picture_counter(of, LT_KERNEL_RECONCILED) == 1;
}

static char *map(size_t pages, int protection, int stack) {
    char *at = mmap(NULL, pages * PAGE, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHILD_CHECK(at != MAP_FAILED);
    struct lt_mapping mapping = {.start = (uintptr_t)at, .end = (uintptr_t)at + pages * PAGE, .anonymous = true};
    do /* on a busy machine the table's lock may not be had, and the event is lost */
        mapping.holding = picture_acquire(LT_KIND_MAPPING, pages * PAGE, stack);
    while (!lt_mapping_put(lt_thread_attach(), &mapping));
    return at;
}

static void unmap(char *at, size_t pages) {
    struct lt_mappings_taken taken = {.count = 0};
    while (!taken.count)
        lt_mapping_take(lt_thread_attach(), (uintptr_t)at, (uintptr_t)at + pages * PAGE, &taken);
    lt_mapping_gone(&taken);
    CHILD_CHECK(munmap(at, pages * PAGE) == 0);
}

/* Rows and bytes of [at, at + pages) that have a holder. */
static size_t held_rows(const struct lt_dump_snapshot *of, const char *at, size_t pages, size_t *bytes) {
    size_t rows = 0;
    *bytes = 0;
    for (size_t i = 0; i < of->mapping_count; i++) {
        const struct lt_dump_mapping *row = &of->mappings[i];
        if (row->start < (uintptr_t)at || row->start >= (uintptr_t)at + pages * PAGE || !row->holder.node)
            continue;
        rows++;
        *bytes += row->length;
    }
    return rows;
}

static size_t of_class(const struct lt_dump_snapshot *of, enum lt_mapping_class mapping_class) {
    size_t count = 0;
    for (size_t i = 0; i < of->mapping_count; i++)
        count += of->mappings[i].mapping_class == mapping_class;
    return count;
}

static void show_all(void) {
    size_t bytes;
    picture_start();
    char *whole = map(10, PROT_READ | PROT_WRITE, 1), *parted = map(10, PROT_READ | PROT_WRITE, 2);
    map(2, PROT_READ | PROT_WRITE, 1); /* the kernel joins it with a neighbour */
    CHILD_CHECK(mprotect(whole + 2 * PAGE, PAGE, PROT_READ) == 0);
    unmap(parted + 3 * PAGE, 2);
    read_maps();
    const struct lt_dump_snapshot *shown = picture_take();
    CHILD_CHECK(matches_the_kernel(shown) && picture_adds_up(shown));
    CHILD_CHECK(held_rows(shown, whole, 10, &bytes) == 3 && bytes == 10 * PAGE);
    CHILD_CHECK(held_rows(shown, parted, 10, &bytes) == 2 && bytes == 8 * PAGE);
    CHILD_CHECK(shown->totals[LT_KIND_MAPPING].live_count == 4);
    CHILD_CHECK(shown->totals[LT_KIND_MAPPING].live_bytes == 20 * PAGE);
    CHILD_CHECK(of_class(shown, LT_MAPPING_STACK) == 1 && of_class(shown, LT_MAPPING_HEAP) <= 1);
    CHILD_CHECK(of_class(shown, LT_MAPPING_MODULE) > 5 && of_class(shown, LT_MAPPING_KERNEL) >= 2);
    CHILD_CHECK(of_class(shown, LT_MAPPING_OWN) >= 1);
    world_remove_file();
}

static void rows_are_what_the_kernel_lists(void **state) {
    (void)state;
    assert_child_passes(show_all);
}

static void vanish(void) {
    size_t bytes;
    picture_start();
    char *gone = map(4, PROT_READ, 1), *parted = map(8, PROT_READ, 2);
    char *last = map(3, PROT_READ, 3), *over = map(4, PROT_READ, 4) + PAGE;
    CHILD_CHECK(munmap(gone, 4 * PAGE) == 0); /* behind our back */
    CHILD_CHECK(munmap(parted + 2 * PAGE, PAGE) == 0 && munmap(last + 2 * PAGE, PAGE) == 0);
    const int file = open("/etc/passwd", O_RDONLY);
    CHILD_CHECK(mmap(over, PAGE, PROT_READ, MAP_PRIVATE | MAP_FIXED, file, 0) == over);
    read_maps();
    const struct lt_dump_snapshot *shown = picture_take();
    CHILD_CHECK(matches_the_kernel(shown) && picture_adds_up(shown));
    CHILD_CHECK(picture_counter(shown, LT_KERNEL_VANISHED_MAPPINGS) == 4);
    CHILD_CHECK(held_rows(shown, over - PAGE, 4, &bytes) == 2 && bytes == 3 * PAGE);
    CHILD_CHECK(held_rows(shown, gone, 4, &bytes) == 0);
    CHILD_CHECK(held_rows(shown, parted, 8, &bytes) == 2 && bytes == 7 * PAGE);
    CHILD_CHECK(shown->totals[LT_KIND_MAPPING].live_count == 5);
    CHILD_CHECK(shown->totals[LT_KIND_MAPPING].live_bytes == 12 * PAGE);
    shown = picture_take();
    CHILD_CHECK(picture_counter(shown, LT_KERNEL_VANISHED_MAPPINGS) == 4 && picture_adds_up(shown));
    world_remove_file();
}

static void what_the_kernel_denies_vanishes(void **state) {
    (void)state;
    assert_child_passes(vanish);
}

enum { THREADS = 3, SNAPSHOTS = 60 };
static _Atomic bool stop;

static void *map_and_unmap(void *argument) {
    const int stack = (int)(intptr_t)argument;
    map(5, PROT_READ, stack);
    while (!atomic_load(&stop)) {
        char *at = map(4, PROT_READ | PROT_WRITE, stack);
        char *same = map(1, PROT_READ, stack);
        unmap(at + PAGE, 2);
        unmap(same, 1);
        unmap(at, 1);
        unmap(at + 3 * PAGE, 1);
    }
    return NULL;
}

static void stay_exact(void) {
    pthread_t threads[THREADS];
    picture_start();
    for (intptr_t i = 0; i < THREADS; i++)
        CHILD_CHECK(pthread_create(&threads[i], NULL, map_and_unmap, (void *)i) == 0);
    for (int i = 0; i < SNAPSHOTS; i++)
        CHILD_CHECK(world_snapshot(false, 0) == 0);
    atomic_store(&stop, true);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    read_maps();
    const struct lt_dump_snapshot *shown = picture_take();
    CHILD_CHECK(matches_the_kernel(shown) && picture_adds_up(shown));
    CHILD_CHECK(shown->totals[LT_KIND_MAPPING].live_count == THREADS);
    CHILD_CHECK(shown->totals[LT_KIND_MAPPING].live_bytes == THREADS * 5 * PAGE);
    CHILD_CHECK(picture_counter(shown, LT_KERNEL_VANISHED_MAPPINGS) == 0);
    world_remove_file();
}

static void nothing_is_lost_or_invented_under_load(void **state) {
    (void)state;
    assert_child_passes(stay_exact);
}

static void *touch_malloc(void *block) {
    *(void **)block = malloc(100);
    pause();
    return NULL;
}

/* glibc gives a second thread an arena of its own. */
static void show_arena(void) {
    pthread_t thread;
    void *_Atomic block = NULL;
    picture_start();
    CHILD_CHECK(pthread_create(&thread, NULL, touch_malloc, (void *)&block) == 0);
    while (!block)
        usleep(1000);
    read_maps();
    const struct lt_dump_snapshot *shown = picture_take();
    CHILD_CHECK(matches_the_kernel(shown));
    bool found = false;
    for (size_t i = 0; i < shown->mapping_count; i++) {
        const struct lt_dump_mapping *row = &shown->mappings[i];
        if (row->start <= (uintptr_t)block && (uintptr_t)block < row->start + row->length)
            found = row->mapping_class == LT_MAPPING_ARENA && row->start % (64 << 20) == 0;
    }
    CHILD_CHECK(found);
    world_remove_file();
}

static void an_arena_of_malloc_is_known(void **state) {
    (void)state;
    lt_skip_when(LT_SANITIZED, "the sanitizer's malloc has no arenas");
    assert_child_passes(show_arena);
}

static char *map_unseen(size_t pages) {
    char *at = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHILD_CHECK(at != MAP_FAILED);
    memset(at, 1, pages * PAGE);
    return at;
}

/* Bytes of [at, at + pages) in rows of that class. */
static size_t bytes_of_class(const struct lt_dump_snapshot *of, const char *at, size_t pages,
                             enum lt_mapping_class mapping_class) {
    const uintptr_t start = (uintptr_t)at, end = start + pages * PAGE;
    size_t bytes = 0;
    for (size_t i = 0; i < of->mapping_count; i++) {
        const struct lt_dump_mapping *row = &of->mappings[i];
        const uintptr_t from = row->start > start ? row->start : start;
        const uintptr_t to = row->start + row->length < end ? row->start + row->length : end;
        if (row->mapping_class == mapping_class && from < to)
            bytes += to - from;
    }
    return bytes;
}

/* The kernel joins all these. */
static void show_start(void) {
    char *before = map_unseen(4);
    lt_picture_start();
    char *after = map_unseen(5);
    picture_start();
    read_maps();
    const struct lt_dump_snapshot *shown = picture_take();
    CHILD_CHECK(matches_the_kernel(shown));
    CHILD_CHECK(bytes_of_class(shown, before, 4, LT_MAPPING_LIBC) == 4 * PAGE);
    CHILD_CHECK(bytes_of_class(shown, after, 5, LT_MAPPING_ANONYMOUS) == 5 * PAGE);
    world_remove_file();
}

static void what_was_there_at_the_start_is_the_loaders(void **state) {
    (void)state;
    assert_child_passes(show_start);
}

static void show_block(void) {
    enum { OTHER = 3 };
    picture_start();
    char *other = map_unseen(OTHER), *block = malloc(1 << 20), *start = block - 16; /* may be one line */
    memcpy(other, (uint64_t[]){0, UINT64_C(1) << 40 | 2}, 16);                      /* longer than what is mapped */
    block[0] = 1;
    read_maps();
    const struct lt_dump_snapshot *shown = picture_take();
    CHILD_CHECK(matches_the_kernel(shown));
    CHILD_CHECK(bytes_of_class(shown, start, 257, LT_MAPPING_MALLOC_BLOCK) == 257 * PAGE);
    CHILD_CHECK(bytes_of_class(shown, other, OTHER, LT_MAPPING_MALLOC_BLOCK) == 0);
    world_remove_file();
}

static void a_large_block_of_malloc_is_known(void **state) {
    (void)state;
    lt_skip_when(LT_SANITIZED, "the sanitizer's malloc has no such blocks");
    assert_child_passes(show_block);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(rows_are_what_the_kernel_lists),
    cmocka_unit_test(what_the_kernel_denies_vanishes),
    cmocka_unit_test(nothing_is_lost_or_invented_under_load),
    cmocka_unit_test(an_arena_of_malloc_is_known),
    cmocka_unit_test(what_was_there_at_the_start_is_the_loaders),
    cmocka_unit_test(a_large_block_of_malloc_is_known),
};
LT_UNIT_MAIN(tests)
