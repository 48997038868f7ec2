/* Threads: who created those that run, and those that have ended and were never joined. */
#include "track_picture.h"

#include "os/task.h"
#include "track/handles.h"
#include "track/program_threads.h"

#include <linux/sched.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

static _Atomic int running;
static _Atomic bool stop;

static void *run(void *record) {
    const int here = 0;
    lt_program_thread_runs(record, lt_gettid(), (uint64_t)pthread_self(), (uintptr_t)&here);
    lt_name_thread("worker");
    atomic_fetch_add(&running, 1);
    while (!atomic_load(&stop))
        usleep(1000);
    return NULL;
}

/* As the hook does it. */
static pthread_t create(int stack, bool detached) {
    pthread_t thread;
    struct lt_program_thread wanted = {.holding = picture_acquire(LT_KIND_THREAD, 0, stack), .detached = detached};
    struct lt_program_thread *record = lt_program_thread_new(lt_thread_attach(), &wanted);
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, detached ? PTHREAD_CREATE_DETACHED : PTHREAD_CREATE_JOINABLE);
    CHILD_CHECK(record && pthread_create(&thread, &attributes, run, record) == 0);
    lt_program_thread_created(lt_thread_attach(), record, &thread);
    pthread_attr_destroy(&attributes);
    return thread;
}

static void wait_for(uint32_t threads) {
    while (lt_thread_count() != threads)
        usleep(1000);
}

static size_t rows_with(const struct lt_dump_snapshot *of, enum lt_origin origin, uint32_t flags) {
    size_t count = 0;
    for (size_t i = 0; i < of->thread_count; i++)
        count += of->threads[i].origin == origin && of->threads[i].flags == flags;
    return count;
}

static void show_all(void) {
    picture_start();
    pthread_t joinable = create(1, false), other = create(1, false);
    create(2, true);
    while (atomic_load(&running) != 3)
        usleep(1000);
    const struct lt_dump_snapshot *shown = picture_take();
    CHILD_CHECK(picture_adds_up(shown) && picture_counter(shown, LT_KERNEL_THREADS) == 4);
    CHILD_CHECK(rows_with(shown, LT_ORIGIN_INHERITED, LT_THREAD_RUNS | LT_THREAD_MAIN) == 1);
    CHILD_CHECK(rows_with(shown, LT_ORIGIN_CALL, LT_THREAD_RUNS) == 2);
    CHILD_CHECK(rows_with(shown, LT_ORIGIN_CALL, LT_THREAD_RUNS | LT_THREAD_DETACHED) == 1);
    CHILD_CHECK(shown->thread_count == 4 && shown->totals[LT_KIND_THREAD].live_count == 3);
    for (size_t i = 0; i < shown->thread_count; i++) {
        CHILD_CHECK(shown->threads[i].stack_size >= 64 * 1024 && shown->threads[i].name[0]);
        CHILD_CHECK(shown->threads[i].flags & LT_THREAD_MAIN || strcmp(shown->threads[i].name, "worker") == 0);
    }

    atomic_store(&stop, true);
    wait_for(1);
    shown = picture_take(); /* the detached one is released by its end, the others wait to be joined */
    CHILD_CHECK(rows_with(shown, LT_ORIGIN_CALL, 0) == 2 && shown->thread_count == 3 && picture_adds_up(shown));
    CHILD_CHECK(shown->totals[LT_KIND_THREAD].live_count == 2);

    const pthread_t threads[] = {joinable, other};
    for (int i = 0; i < 2; i++) {
        struct lt_program_thread_ticket ticket;
        CHILD_CHECK(lt_program_thread_find(threads[i], &ticket) && pthread_join(threads[i], NULL) == 0);
        lt_program_thread_joined(lt_thread_attach(), &ticket);
    }
    shown = picture_take();
    CHILD_CHECK(shown->thread_count == 1 && picture_adds_up(shown));
    CHILD_CHECK(shown->totals[LT_KIND_THREAD].live_count == 0);
    world_remove_file();
}

static void running_ended_and_detached_are_told_apart(void **state) {
    (void)state;
    assert_child_passes(show_all);
}

static void *run_unrecorded(void *unused) {
    atomic_fetch_add(&running, 1);
    while (!atomic_load(&stop))
        usleep(1000);
    return unused;
}

static void show_unknown(void) {
    pthread_t thread;
    picture_start();
    CHILD_CHECK(pthread_create(&thread, NULL, run_unrecorded, NULL) == 0);
    while (!atomic_load(&running))
        usleep(1000);
    const struct lt_dump_snapshot *shown = picture_take();
    CHILD_CHECK(rows_with(shown, LT_ORIGIN_UNATTRIBUTED, LT_THREAD_RUNS) == 1 && shown->thread_count == 2);
    CHILD_CHECK(shown->totals[LT_KIND_THREAD].live_count == 0);
    int own[1];
    for (size_t i = 0; i < shown->thread_count; i++)
        if (!(shown->threads[i].flags & LT_THREAD_MAIN))
            own[0] = (int)shown->threads[i].tid;
    world_picture.own_tids = own;
    world_picture.own_tid_count = 1;
    CHILD_CHECK(picture_take()->thread_count == 1);
    atomic_store(&stop, true);
    pthread_join(thread, NULL);
    world_remove_file();
}

static void unknown_ones_are_unattributed_and_own_ones_left_out(void **state) {
    (void)state;
    assert_child_passes(show_unknown);
}

static void count_handles(void) {
    picture_start();
    for (uint64_t i = 1; i <= 3; i++) {
        const enum lt_kind kind = i < 3 ? LT_KIND_TIMER : LT_KIND_STREAM;
        const struct lt_handle handle = {.handle = i, .kind = (uint8_t)kind, .holding = picture_acquire(kind, 0, 1)};
        CHILD_CHECK(lt_handle_put(&handle));
    }
    const struct lt_dump_snapshot *shown = picture_take();
    CHILD_CHECK(shown->totals[LT_KIND_TIMER].live_count == 2 && shown->totals[LT_KIND_STREAM].live_count == 1);
    CHILD_CHECK(picture_adds_up(shown));
    world_remove_file();
}

static void timers_and_streams_are_counted(void **state) {
    (void)state;
    assert_child_passes(count_handles);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(running_ended_and_detached_are_told_apart),
    cmocka_unit_test(unknown_ones_are_unattributed_and_own_ones_left_out),
    cmocka_unit_test(timers_and_streams_are_counted),
};
LT_UNIT_MAIN(tests)
