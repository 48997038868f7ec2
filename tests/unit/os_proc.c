/* /proc against libc's readers of the same files; without /proc; after the main thread has left; with hostile names. */
#include "os/proc.h"

#include "os/memory.h"
#include "os/task.h"

#include "unit.h"
#include "unit_child.h"
#include "unit_files.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>

/* The judge: the file as a text, parsed by sscanf. */
static char truth[1 << 20];
static const char *truth_at;

static bool read_truth(const char *path) {
    int fd = open(path, O_RDONLY);
    size_t length = 0;
    ssize_t n;
    while ((n = read(fd, truth + length, sizeof truth - 1 - length)) > 0)
        length += (size_t)n;
    truth[length] = '\0';
    truth_at = truth;
    return close(fd) == 0 && length > 0;
}

static bool next_truth(struct lt_map *map, char rights[5], char path[8192]) {
    int used = 0;
    if (sscanf(truth_at, "%" SCNxPTR "-%" SCNxPTR " %4s %" SCNx64 " %*s %" SCNu64 "%n", &map->start, &map->end, rights,
               &map->offset, &map->inode, &used) != 5)
        return false;
    const char *line_end = strchr(truth_at, '\n'), *name = truth_at + used;
    while (*name == ' ')
        name++;
    snprintf(path, 8192, "%.*s", (int)(line_end - name), name);
    truth_at = line_end + 1;
    return true;
}

struct comparison {
    size_t maps, wrong, longest_path, buffer_size;
};

static bool compare_with_truth(void *context, const struct lt_map *ours) {
    struct comparison *c = context;
    struct lt_map map;
    char rights[5] = "", path[8192] = "";
    bool same = next_truth(&map, rights, path) && map.start == ours->start && map.end == ours->end &&
                map.offset == ours->offset && map.inode == ours->inode && (rights[0] == 'r') == ours->readable &&
                (rights[1] == 'w') == ours->writable && (rights[2] == 'x') == ours->executable &&
                (rights[3] == 's') == ours->shared;
    size_t shown = strlen(ours->path), whole = strlen(path);
    bool cut = whole + 100 > c->buffer_size;
    same = same && strncmp(ours->path, path, shown) == 0 && (cut || shown == whole);
    c->wrong += !same;
    c->maps++;
    c->longest_path = shown > c->longest_path ? shown : c->longest_path;
    return true;
}

static struct comparison compare_maps(size_t buffer_size) {
    static char buffer[1 << 16];
    struct comparison c = {.buffer_size = buffer_size};
    CHILD_CHECK(read_truth("/proc/thread-self/maps"));
    CHILD_CHECK(lt_proc_maps(buffer, buffer_size, compare_with_truth, &c) == 0);
    CHILD_CHECK(c.maps > 5 && c.wrong == 0 && *truth_at == '\0');
    return c;
}

static void lists_mappings_with_any_buffer(void **state) {
    (void)state;
    for (size_t size = 512; size < 600; size++)
        compare_maps(size);
    for (size_t size = 1024; size <= 1 << 16; size *= 2)
        compare_maps(size);
}

/* Maps a file whose path has about 2,000 bytes, blanks and newlines among them, between two ordinary mappings. */
static void map_a_long_path(const char *scratch) {
    char name[201];
    for (size_t i = 0; i < 200; i++) /* any piece of it looks like a line of its own */
        name[i] = "1-2 r--p 0 0:0 0 "[i % 17];
    name[200] = '\0';
    name[199] = '\n';
    CHILD_CHECK(chdir(scratch) == 0);
    for (int depth = 0; depth < 10; depth++)
        CHILD_CHECK(mkdir(name, 0700) == 0 && chdir(name) == 0);
    int fd = open("file", O_RDWR | O_CREAT, 0600);
    CHILD_CHECK(fd >= 0 && write(fd, name, 200) == 200);
    CHILD_CHECK(mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0) != MAP_FAILED);
    CHILD_CHECK(chdir("/") == 0);
}

static char scratch[64];

static void list_a_long_path(void) {
    map_a_long_path(scratch);
    for (size_t size = 512; size < 600; size++)
        CHILD_CHECK(compare_maps(size).longest_path > 400);
    CHILD_CHECK(compare_maps(1000).longest_path > 900);
    CHILD_CHECK(compare_maps(8192).longest_path > 2000);
}

static void cuts_a_path_longer_than_the_buffer_and_goes_on(void **state) {
    (void)state;
    scratch_new(scratch);
    bool passed = child_passes(list_a_long_path);
    scratch_remove(scratch);
    assert_true(passed);
}

static bool count_maps(void *context, const struct lt_map *map) {
    *(size_t *)context += map->end > map->start;
    return true;
}

/* As many as vm.max_map_count allows, nearly: every other page of a range is another mapping. */
static void list_many(void) {
    enum { PIECES = 60000 };
    static char buffer[16384];
    size_t count = 0;
    char *pages = mmap(NULL, (size_t)PIECES * LT_PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    for (size_t i = 0; i < PIECES; i += 2)
        CHILD_CHECK(mprotect(pages + i * LT_PAGE, LT_PAGE, PROT_READ) == 0);
    CHILD_CHECK(lt_proc_maps(buffer, sizeof buffer, count_maps, &count) == 0);
    CHILD_CHECK(count >= PIECES && count < PIECES + 200);
}

static void lists_sixty_thousand_mappings(void **state) {
    (void)state;
    assert_child_passes(list_many);
}

static bool see_three(void *context, const struct lt_map *map) {
    (void)map;
    return ++*(int *)context < 3;
}

static void stops_when_told(void **state) {
    (void)state;
    char buffer[4096];
    int seen = 0;
    assert_int_equal(lt_proc_maps(buffer, sizeof buffer, see_three, &seen), 0);
    assert_int_equal(seen, 3);
}

static void finds_the_mapping_of_an_address(void **state) {
    (void)state;
    char buffer[4096];
    struct lt_map map;
    char *pages = mmap(NULL, 3 * LT_PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_int_equal(mprotect(pages + LT_PAGE, LT_PAGE, PROT_READ), 0);
    assert_int_equal(lt_proc_map_at((uintptr_t)pages + LT_PAGE, &map, buffer, sizeof buffer), 0);
    assert_int_equal(map.start, (uintptr_t)pages + LT_PAGE);
    assert_int_equal(map.end, map.start + LT_PAGE);
    assert_true(map.readable && !map.writable && !map.executable && !map.shared);
    assert_string_equal(map.path, "");
    assert_int_equal(lt_proc_map_at(map.end - 1, &map, buffer, sizeof buffer), 0);
    assert_int_equal(map.start, (uintptr_t)pages + LT_PAGE);
    assert_int_equal(lt_proc_map_at(map.end, &map, buffer, sizeof buffer), 0);
    assert_false(map.readable);
    assert_int_equal(munmap(pages + LT_PAGE, LT_PAGE), 0);
    assert_int_equal(lt_proc_map_at((uintptr_t)pages + LT_PAGE, &map, buffer, sizeof buffer), -ESRCH);
    assert_int_equal(lt_proc_map_at(0, &map, buffer, sizeof buffer), -ESRCH);
    assert_int_equal(lt_proc_map_at(UINTPTR_MAX, &map, buffer, sizeof buffer), -ESRCH);
    munmap(pages, 3 * LT_PAGE);
}

static uint64_t start_by_sscanf(const char *path) {
    unsigned long long ticks = 0;
    CHILD_CHECK(read_truth(path));
    const char *end_of_name = strrchr(truth, ')');
    sscanf(end_of_name + 1, "%*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %llu", &ticks);
    return ticks;
}

static void tells_when_a_process_started(void **state) {
    (void)state;
    uint64_t ours = lt_proc_start_ticks(0);
    assert_true(ours != 0);
    assert_int_equal(ours, start_by_sscanf("/proc/self/stat"));
    assert_int_equal(lt_proc_start_ticks(lt_getpid()), ours);
    assert_int_equal(lt_proc_start_ticks(1), start_by_sscanf("/proc/1/stat"));
    assert_int_equal(prctl(PR_SET_NAME, "a) R 1 (2 3"), 0);
    assert_int_equal(lt_proc_start_ticks(0), ours);
    assert_int_equal(lt_proc_start_ticks(INT32_MAX), 0);
    assert_int_equal(lt_proc_start_ticks(-1), 0);
}

static void tells_program_arguments_and_host(void **state) {
    (void)state;
    char ours[4096], theirs[4096];
    ssize_t length = readlink("/proc/self/exe", theirs, sizeof theirs);
    assert_int_equal(lt_proc_exe(ours, sizeof ours), length);
    assert_memory_equal(ours, theirs, (size_t)length);
    assert_int_equal(lt_proc_exe(ours, 3), 3);
    int64_t size = lt_proc_cmdline(ours, sizeof ours);
    assert_true(read_truth("/proc/self/cmdline"));
    assert_int_equal(size, strlen(truth)); /* one argument, without its NUL */
    assert_memory_equal(ours, truth, (size_t)size);
    assert_int_equal(lt_proc_cmdline(ours, 3), 3);
    assert_int_equal(gethostname(theirs, sizeof theirs), 0);
    lt_host_name(ours, sizeof ours);
    assert_string_equal(ours, theirs);
    lt_host_name(ours, 2);
    assert_int_equal(strlen(ours), strlen(theirs) ? 1 : 0);
}

static void tells_the_use_of_memory(void **state) {
    (void)state;
    struct lt_memory_use before, after;
    assert_int_equal(lt_proc_memory_use(&before), 0);
    void *pages = mmap(NULL, 64 << 20, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_int_equal(lt_proc_memory_use(&after), 0);
    assert_int_equal(after.address_space - before.address_space, 64 << 20);
    assert_int_equal(after.data, before.data);
    assert_int_equal(mprotect(pages, 32 << 20, PROT_READ | PROT_WRITE), 0);
    assert_int_equal(lt_proc_memory_use(&after), 0);
    assert_int_equal(after.data - before.data, 32 << 20);
    munmap(pages, 64 << 20);
}

static void *look_after_the_main_thread_left(void *argument) {
    usleep(30000);
    char text[4096];
    struct lt_map map;
    struct lt_memory_use use;
    CHILD_CHECK(read_truth("/proc/thread-self/maps"));
    CHILD_CHECK(compare_maps(4096).maps > 5);
    CHILD_CHECK(lt_proc_map_at((uintptr_t)truth, &map, text, sizeof text) == 0);
    CHILD_CHECK(lt_proc_start_ticks(0) == start_by_sscanf("/proc/self/stat"));
    CHILD_CHECK(lt_proc_exe(text, sizeof text) > 0 && lt_proc_cmdline(text, sizeof text) > 0);
    CHILD_CHECK(lt_proc_memory_use(&use) == 0 && use.address_space > 0);
    _exit(0);
    return argument;
}

static void leave_by_pthread_exit(void) {
    pthread_t thread;
    CHILD_CHECK(pthread_create(&thread, NULL, look_after_the_main_thread_left, NULL) == 0);
    pthread_exit(NULL);
}

static void works_after_the_main_thread_left(void **state) {
    (void)state;
    assert_child_passes(leave_by_pthread_exit);
}

static void look_without_proc(void) {
    char text[4096];
    struct lt_map map;
    struct lt_memory_use use;
    int seen = 0;
    CHILD_CHECK(chroot(scratch) == 0);
    CHILD_CHECK(lt_proc_maps(text, sizeof text, see_three, &seen) == -ENOENT && seen == 0);
    CHILD_CHECK(lt_proc_map_at((uintptr_t)truth, &map, text, sizeof text) == -ENOENT);
    CHILD_CHECK(lt_proc_start_ticks(0) == 0);
    CHILD_CHECK(lt_proc_exe(text, sizeof text) == -ENOENT && lt_proc_cmdline(text, sizeof text) == -ENOENT);
    CHILD_CHECK(lt_proc_memory_use(&use) == -ENOENT && use.address_space == 0);
    CHILD_CHECK(lt_thread_count() == 0);
    lt_host_name(text, sizeof text);
    CHILD_CHECK(text[0]);
}

static void works_without_proc(void **state) {
    (void)state;
    lt_skip_when(geteuid() != 0, "chroot needs root");
    scratch_new(scratch);
    bool passed = child_passes(look_without_proc);
    scratch_remove(scratch);
    assert_true(passed);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(lists_mappings_with_any_buffer),
    cmocka_unit_test(cuts_a_path_longer_than_the_buffer_and_goes_on),
    cmocka_unit_test(lists_sixty_thousand_mappings),
    cmocka_unit_test(stops_when_told),
    cmocka_unit_test(finds_the_mapping_of_an_address),
    cmocka_unit_test(tells_when_a_process_started),
    cmocka_unit_test(tells_program_arguments_and_host),
    cmocka_unit_test(tells_the_use_of_memory),
    cmocka_unit_test(works_after_the_main_thread_left),
    cmocka_unit_test(works_without_proc),
};
LT_UNIT_MAIN(tests)
