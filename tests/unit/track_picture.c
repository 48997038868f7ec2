/* Descriptors: the dump's rows are what the kernel lists, and whose they are. */
#include "track_picture.h"

#include "os/file.h"
#include "os/task.h"
#include "track/descriptors.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static int put(int fd, enum lt_kind kind, int stack) {
    struct lt_descriptor old, descriptor = {.holding = picture_acquire(kind, 0, stack), .kind = (uint8_t)kind};
    CHILD_CHECK(fd >= 0);
    lt_descriptor_put(fd, &descriptor, &old);
    return fd;
}

static const struct lt_dump_descriptor *row_of(const struct lt_dump_snapshot *of, int fd) {
    for (size_t i = 0; i < of->descriptor_count; i++)
        if (of->descriptors[i].fd == (uint32_t)fd)
            return &of->descriptors[i];
    return NULL;
}

/* Every open descriptor but the dump's is one row, and there is no other. */
static bool matches_the_kernel(const struct lt_dump_snapshot *of) {
    DIR *directory = opendir("/proc/self/fd");
    size_t open_ = 0;
    for (struct dirent *entry; (entry = readdir(directory));) {
        const int fd = atoi(entry->d_name);
        if (entry->d_name[0] == '.' || fd == dirfd(directory) || fd == world_file.fd)
            continue;
        CHILD_CHECK(row_of(of, fd) != NULL);
        open_++;
    }
    closedir(directory);
    return open_ == of->descriptor_count && picture_counter(of, LT_KERNEL_OPEN_FILES) == open_ &&
           picture_counter(of, LT_KERNEL_RECONCILED) == 1;
}

static void show_all(void) {
    int pair[2], pipes[2];
    picture_start();
    CHILD_CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0 && pipe2(pipes, O_CLOEXEC) == 0);
    put(pair[0], LT_KIND_SOCKET, 1);
    put(pipes[0], LT_KIND_PIPE, 2);
    const int file = put(open("/etc/passwd", O_RDONLY), LT_KIND_FILE, 3);
    const int directory = put(open("/etc", O_RDONLY | O_DIRECTORY), LT_KIND_FILE, 3);
    const int event = put(eventfd(3, 0), LT_KIND_EVENT, 4);
    const int unknown = epoll_create1(0);
    const struct lt_dump_snapshot *shown = picture_take();
    CHILD_CHECK(matches_the_kernel(shown));
    CHILD_CHECK(picture_adds_up(shown));

    const struct lt_dump_descriptor *row = row_of(shown, file);
    CHILD_CHECK(row->kind == LT_KIND_FILE && row->origin == LT_ORIGIN_CALL && row->holder.node);
    CHILD_CHECK(strcmp(row->target, "/etc/passwd") == 0 && row->details.position == 0 && row->details.size > 0);
    row = row_of(shown, directory); /* the row's kind is the kernel's, the site's the call's */
    CHILD_CHECK(row->kind == LT_KIND_DIRECTORY && row->holder.site_kind == LT_KIND_FILE);
    row = row_of(shown, pair[0]);
    CHILD_CHECK(row->kind == LT_KIND_SOCKET && strcmp(row->details.protocol, "unix stream") == 0);
    CHILD_CHECK(strcmp(row->details.state, "ESTABLISHED") == 0 && row->details.inode != LT_NO_NUMBER);
    row = row_of(shown, pair[1]);
    CHILD_CHECK(row->origin == LT_ORIGIN_UNATTRIBUTED && row->holder.site_kind == 0);
    CHILD_CHECK(strcmp(row->details.state, "ESTABLISHED") == 0);
    row = row_of(shown, pipes[0]);
    CHILD_CHECK(row->kind == LT_KIND_PIPE && row->flags == LT_DESCRIPTOR_CLOEXEC && row->origin == LT_ORIGIN_CALL);
    row = row_of(shown, event);
    CHILD_CHECK(row->kind == LT_KIND_EVENT && strcmp(row->details.note, "count 3") == 0);
    row = row_of(shown, unknown);
    CHILD_CHECK(row->kind == LT_KIND_EVENT && row->origin == LT_ORIGIN_UNATTRIBUTED);
    world_remove_file();
}

static void rows_are_what_the_kernel_lists(void **state) {
    (void)state;
    assert_child_passes(show_all);
}

static void vanish(void) {
    picture_start();
    const int kept = put(open("/etc/passwd", O_RDONLY), LT_KIND_FILE, 1);
    const int closed = put(open("/etc/passwd", O_RDONLY), LT_KIND_FILE, 1);
    const int replaced = put(socket(AF_INET, SOCK_DGRAM, 0), LT_KIND_SOCKET, 2);
    close(closed); /* behind our back */
    CHILD_CHECK(dup2(kept, replaced) == replaced);
    const struct lt_dump_snapshot *shown = picture_take();
    CHILD_CHECK(matches_the_kernel(shown) && picture_adds_up(shown));
    CHILD_CHECK(picture_counter(shown, LT_KERNEL_VANISHED_DESCRIPTORS) == 2);
    CHILD_CHECK(row_of(shown, kept)->origin == LT_ORIGIN_CALL && !row_of(shown, closed));
    CHILD_CHECK(row_of(shown, replaced)->origin == LT_ORIGIN_UNATTRIBUTED);
    CHILD_CHECK(row_of(shown, replaced)->kind == LT_KIND_FILE);
    CHILD_CHECK(shown->totals[LT_KIND_SOCKET].live_count == 0 && shown->totals[LT_KIND_FILE].live_count == 1);

    shown = picture_take(); /* once is enough */
    CHILD_CHECK(picture_counter(shown, LT_KERNEL_VANISHED_DESCRIPTORS) == 2 && picture_adds_up(shown));
    world_remove_file();
}

static void what_the_kernel_denies_vanishes(void **state) {
    (void)state;
    assert_child_passes(vanish);
}

static void inherit(void) {
    picture_start();
    const int before = put(open("/etc/passwd", O_RDONLY), LT_KIND_FILE, 1);
    lt_track_forked();
    lt_dump_file_forked(&world_file, world_path);
    const int after = put(open("/etc/passwd", O_RDONLY), LT_KIND_FILE, 1);
    const struct lt_dump_snapshot *shown = picture_take();
    CHILD_CHECK(row_of(shown, before)->origin == LT_ORIGIN_INHERITED && row_of(shown, before)->holder.node == 0);
    CHILD_CHECK(row_of(shown, after)->origin == LT_ORIGIN_CALL && row_of(shown, after)->holder.node != 0);
    CHILD_CHECK(shown->totals[LT_KIND_FILE].inherited_count == 1 && picture_adds_up(shown));
    world_remove_file();
}

static void inherited_ones_are_told_apart(void **state) {
    (void)state;
    assert_child_passes(inherit);
}

/* ---- under load ---- */

enum { THREADS = 4, SNAPSHOTS = 100 };
static _Atomic bool stop;

static int open_recorded(int stack) {
    return put(open("/dev/null", O_RDONLY), LT_KIND_FILE, stack);
}

static void close_recorded(int fd) {
    struct lt_descriptor taken;
    CHILD_CHECK(lt_descriptor_take(fd, &taken));
    lt_resource_release(lt_thread_attach(), &taken.holding, 1, 0);
    close(fd);
}

/* dup2 as the hook does it: what it replaces is taken before. */
static void replace_recorded(int from, int to, int stack) {
    struct lt_descriptor taken;
    CHILD_CHECK(lt_descriptor_take(to, &taken));
    lt_resource_release(lt_thread_attach(), &taken.holding, 1, 0);
    CHILD_CHECK(dup2(from, to) == to);
    put(to, LT_KIND_FILE, stack);
}

static void *open_and_close(void *argument) {
    const int stack = (int)(intptr_t)argument;
    const int kept = open_recorded(stack);
    while (!atomic_load(&stop)) {
        const int fd = open_recorded(stack), other = open_recorded(stack + 10);
        replace_recorded(fd, kept, stack + 20);
        close_recorded(other);
        close_recorded(fd);
    }
    return NULL;
}

static void stay_exact(void) {
    pthread_t threads[THREADS];
    picture_start();
    for (intptr_t i = 0; i < THREADS; i++)
        CHILD_CHECK(pthread_create(&threads[i], NULL, open_and_close, (void *)i) == 0);
    for (int i = 0; i < SNAPSHOTS; i++)
        CHILD_CHECK(world_snapshot(false, 0) == 0);
    atomic_store(&stop, true);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    const struct lt_dump_snapshot *shown = picture_take();
    CHILD_CHECK(matches_the_kernel(shown) && picture_adds_up(shown));
    CHILD_CHECK(shown->totals[LT_KIND_FILE].live_count == THREADS);
    CHILD_CHECK(picture_counter(shown, LT_KERNEL_VANISHED_DESCRIPTORS) == 0);
    world_remove_file();
}

static void nothing_is_lost_or_invented_under_load(void **state) {
    (void)state;
    assert_child_passes(stay_exact);
}

/* ---- another thread's table ---- */

static int program_tid;

static void *take_from_a_helper(void *unused) {
    (void)unused;
    const int keep[] = {world_file.fd}, own_tids[] = {lt_gettid()};
    CHILD_CHECK(lt_fds_private(keep, 1) == 0);
    world_picture.program_tid = program_tid;
    world_picture.own_tids = own_tids;
    world_picture.own_tid_count = 1;
    CHILD_CHECK(world_snapshot(false, 0) == 0);
    return NULL;
}

static void take_by_a_helper(void) {
    pthread_t helper;
    picture_start();
    const int fd = open_recorded(1), closed = open_recorded(2);
    close(closed);
    program_tid = lt_gettid();
    CHILD_CHECK(pthread_create(&helper, NULL, take_from_a_helper, NULL) == 0 && pthread_join(helper, NULL) == 0);
    const struct lt_dump_snapshot *shown = world_last(world_read(world_path));
    CHILD_CHECK(matches_the_kernel(shown) && picture_adds_up(shown));
    CHILD_CHECK(row_of(shown, fd)->origin == LT_ORIGIN_CALL);
    CHILD_CHECK(picture_counter(shown, LT_KERNEL_VANISHED_DESCRIPTORS) == 1);
    world_remove_file();
}

static void a_helper_shows_the_programs_table(void **state) {
    (void)state;
    assert_child_passes(take_by_a_helper);
}

/* ---- the main thread has left ---- */

static void *take_without_main(void *unused) {
    (void)unused;
    while (!lt_main_thread_left())
        usleep(1000);
    take_from_a_helper(NULL);
    const struct lt_dump_snapshot *shown = world_last(world_read(world_path));
    CHILD_CHECK(picture_counter(shown, LT_KERNEL_RECONCILED) == 1 && shown->totals[LT_KIND_FILE].live_count == 1);
    CHILD_CHECK(picture_counter(shown, LT_KERNEL_VANISHED_DESCRIPTORS) == 0 && picture_adds_up(shown));
    world_remove_file();
    _exit(0);
}

static void *idle(void *unused) {
    (void)unused;
    pause();
    return NULL;
}

static void leave(void) {
    pthread_t thread;
    picture_start();
    open_recorded(1);
    program_tid = lt_gettid();
    CHILD_CHECK(pthread_create(&thread, NULL, idle, NULL) == 0);
    CHILD_CHECK(pthread_create(&thread, NULL, take_without_main, NULL) == 0);
    pthread_exit(NULL);
}

static void goes_on_when_the_main_thread_has_left(void **state) {
    (void)state;
    assert_child_passes(leave);
}

/* ---- no /proc ---- */

static void take_without_proc(void) {
    char directory[64];
    picture_start();
    const int fd = open_recorded(1);
    strcpy(directory, world_path);
    *strrchr(directory, '/') = '\0';
    CHILD_CHECK(chroot(directory) == 0);
    CHILD_CHECK(world_snapshot(false, 0) == 0);
    CHILD_CHECK(fchdir(open("/", O_RDONLY)) == 0);
    const struct lt_dump_snapshot *shown = world_last(world_read("/dump.bin"));
    CHILD_CHECK(picture_counter(shown, LT_KERNEL_RECONCILED) == 0);
    CHILD_CHECK(shown->descriptor_count == 1 && shown->descriptors[0].fd == (uint32_t)fd);
    CHILD_CHECK(shown->descriptors[0].kind == LT_KIND_FILE && picture_adds_up(shown));
    unlink("/dump.bin");
}

static void shows_the_tables_without_proc(void **state) {
    (void)state;
    lt_skip_when(geteuid() != 0, "chroot needs root");
    assert_child_passes(take_without_proc);
}

/* ---- kinds ---- */

static void take_one_kind(void) {
    picture_start();
    world_picture.kinds = 1u << LT_KIND_SOCKET | 1u << LT_KIND_HEAP;
    const int fd = put(socket(AF_INET, SOCK_DGRAM, 0), LT_KIND_SOCKET, 1);
    const struct lt_dump_snapshot *shown = picture_take();
    CHILD_CHECK(shown->descriptor_count == 1 && shown->descriptors[0].fd == (uint32_t)fd);
    CHILD_CHECK(shown->mapping_count == 0 && shown->thread_count == 0);
    world_picture.kinds = 1u << LT_KIND_HEAP;
    shown = picture_take();
    CHILD_CHECK(shown->descriptor_count == 0 && picture_counter(shown, LT_KERNEL_RECONCILED) == UINT64_MAX);
    world_remove_file();
}

static void shows_the_kinds_that_are_tracked(void **state) {
    (void)state;
    assert_child_passes(take_one_kind);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(rows_are_what_the_kernel_lists),    cmocka_unit_test(what_the_kernel_denies_vanishes),
    cmocka_unit_test(inherited_ones_are_told_apart),     cmocka_unit_test(nothing_is_lost_or_invented_under_load),
    cmocka_unit_test(a_helper_shows_the_programs_table), cmocka_unit_test(goes_on_when_the_main_thread_has_left),
    cmocka_unit_test(shows_the_tables_without_proc),     cmocka_unit_test(shows_the_kinds_that_are_tracked),
};
LT_UNIT_MAIN(tests)
