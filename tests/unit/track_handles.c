/* Threads and handles: records that are found by what the program calls them. */
#include "os/arena.h"
#include "os/clock.h"
#include "os/task.h"
#include "track/counters.h"
#include "track/handles.h"
#include "track/program_threads.h"
#include "track/thread.h"
#include "track/track.h"
#include "track_fake_unwind.h"

#include "unit.h"
#include "unit_child.h"

#include <pthread.h>

enum { NOBODY = 0x3fffff }; /* the highest tid there can be: the kernel gives them out from below */
static struct lt_thread *self;

static void start(void) {
    lt_clock_init();
    CHILD_CHECK(lt_arena_init() == 0 && lt_track_init() == 0);
    self = lt_thread_attach();
    CHILD_CHECK(self && !lt_tid_alive(NOBODY));
}

static struct lt_holding acquire(enum lt_kind kind) {
    static const uintptr_t frames[2] = {0x100010, 0x200010};
    struct lt_holding holding;
    fake_stack(frames, 2, 0);
    CHILD_CHECK(lt_resource_acquire(self, kind, 0, &(struct lt_regs){0, 0, 0}, &holding) == 0);
    return holding;
}

static int64_t live(enum lt_kind kind) {
    struct lt_totals totals;
    lt_totals(kind, &totals);
    return (int64_t)(totals.acquired_count - totals.released_count);
}

static uint64_t acquired(enum lt_kind kind) {
    struct lt_totals totals;
    lt_totals(kind, &totals);
    return totals.acquired_count;
}

static struct lt_program_thread *conceive(bool detached) {
    const struct lt_program_thread wanted = {
        .holding = acquire(LT_KIND_THREAD), .stack_size = 65536, .detached = detached};
    struct lt_program_thread *thread = lt_program_thread_new(self, &wanted);
    CHILD_CHECK(thread != NULL);
    return thread;
}

/* A thread whose creator is back and which runs. */
static struct lt_program_thread *thread_of(uint64_t handle, int tid, bool detached) {
    struct lt_program_thread *thread = conceive(detached);
    const unsigned long place = handle;
    lt_program_thread_created(self, thread, &place);
    lt_program_thread_runs(thread, tid, handle, 0x7000);
    return thread;
}

static bool join(uint64_t handle) {
    struct lt_program_thread_ticket ticket;
    const bool found = lt_program_thread_find(handle, &ticket);
    lt_program_thread_joined(self, &ticket);
    return found;
}

static unsigned listed(void) {
    unsigned count = 0;
    struct lt_program_thread thread;
    for (uint32_t i = 0; lt_program_thread_next(&i, &thread); i++)
        count++;
    return count;
}

static void create_and_join(void) {
    struct lt_program_thread seen;
    uint32_t i = 0;
    start();
    thread_of(111, lt_gettid(), false);
    CHILD_CHECK(lt_program_thread_next(&i, &seen) && seen.handle == 111 && seen.tid == lt_gettid() &&
                seen.stack == 0x7000);
    CHILD_CHECK(seen.stack_size == 65536 && !seen.detached && !seen.inherited && live(LT_KIND_THREAD) == 1);
    CHILD_CHECK(!join(112) && listed() == 1);
    CHILD_CHECK(join(111) && listed() == 0 && live(LT_KIND_THREAD) == 0);
    CHILD_CHECK(!join(111) && live(LT_KIND_THREAD) == 0);
    struct lt_program_thread *failed = conceive(false);
    CHILD_CHECK(live(LT_KIND_THREAD) == 1 && listed() == 0); /* under way */
    lt_program_thread_failed(self, failed);
    CHILD_CHECK(live(LT_KIND_THREAD) == 0 && acquired(LT_KIND_THREAD) == 1); /* it has never been */
}

static void a_join_releases(void **state) {
    (void)state;
    assert_child_passes(create_and_join);
}

/* The joiner is back late: another thread has the handle by then. */
static void use_handle_again(void) {
    struct lt_program_thread_ticket ticket;
    start();
    thread_of(111, NOBODY, false);
    CHILD_CHECK(lt_program_thread_find(111, &ticket));
    thread_of(111, lt_gettid(), false); /* the first one's release is counted here */
    CHILD_CHECK(live(LT_KIND_THREAD) == 1 && listed() == 1);
    lt_program_thread_joined(self, &ticket);
    CHILD_CHECK(live(LT_KIND_THREAD) == 1 && listed() == 1);
    CHILD_CHECK(join(111) && live(LT_KIND_THREAD) == 0);
}

static void a_late_joiner_takes_nobody_elses_record(void **state) {
    (void)state;
    assert_child_passes(use_handle_again);
}

/* The new thread runs, and is joined, before its creator is back; the creator's place for the handle is gone by then.
 */
static void join_before_created(void) {
    start();
    struct lt_program_thread *thread = conceive(false);
    lt_program_thread_runs(thread, lt_gettid(), 222, 0x7000);
    CHILD_CHECK(join(222) && listed() == 0 && live(LT_KIND_THREAD) == 1);
    lt_program_thread_created(self, thread, NULL);
    CHILD_CHECK(listed() == 0 && live(LT_KIND_THREAD) == 0 && !join(222));
    thread_of(222, lt_gettid(), false);
    CHILD_CHECK(join(222) && live(LT_KIND_THREAD) == 0);
}

static void a_creator_may_be_late(void **state) {
    (void)state;
    assert_child_passes(join_before_created);
}

static void detach(void) {
    struct lt_program_thread_ticket ticket;
    struct lt_program_thread seen;
    uint32_t i = 0;
    start();
    thread_of(1, NOBODY, false); /* has ended */
    thread_of(2, lt_gettid(), false);
    CHILD_CHECK(lt_program_thread_find(1, &ticket));
    lt_program_thread_detached(self, &ticket);
    CHILD_CHECK(listed() == 1 && live(LT_KIND_THREAD) == 1);
    CHILD_CHECK(lt_program_thread_find(2, &ticket));
    lt_program_thread_detached(self, &ticket);
    CHILD_CHECK(lt_program_thread_next(&i, &seen) && seen.detached && live(LT_KIND_THREAD) == 1);
    CHILD_CHECK(lt_program_thread_ended(i, &seen) && live(LT_KIND_THREAD) == 0);
    CHILD_CHECK(!lt_program_thread_ended(i, &seen) && live(LT_KIND_THREAD) == 0);
    thread_of(3, lt_gettid(), true);
    CHILD_CHECK(!lt_program_thread_ended(i, &seen) && live(LT_KIND_THREAD) == 1); /* the same record, another thread */
}

static void a_detached_thread_is_released_at_its_end(void **state) {
    (void)state;
    assert_child_passes(detach);
}

/* 100,000 detached threads one after the other, beside a hundred that stay: neither their memory nor their number
 * grows. */
static void come_and_go(void) {
    struct lt_arena_usage early, late;
    start();
    for (uint64_t i = 0; i < 100; i++)
        thread_of(1 + i, lt_gettid(), i % 2);
    for (uint64_t i = 0; i < 100000; i++) {
        thread_of(1000 + i, NOBODY, true);
        if (i == 1000)
            lt_arena_usage(&early);
    }
    lt_arena_usage(&late);
    CHILD_CHECK(late.used - early.used < 65536 && live(LT_KIND_THREAD) < 1000);
    struct lt_program_thread seen;
    for (uint32_t i = 0; lt_program_thread_next(&i, &seen); i++)
        if (seen.tid == NOBODY)
            CHILD_CHECK(lt_program_thread_ended(i, &seen));
    CHILD_CHECK(listed() == 100 && live(LT_KIND_THREAD) == 100);
    for (uint64_t i = 0; i < 100; i++)
        CHILD_CHECK(join(1 + i));
    CHILD_CHECK(listed() == 0 && live(LT_KIND_THREAD) == 0);
}

static void ended_detached_threads_make_room(void **state) {
    (void)state;
    assert_child_passes(come_and_go);
}

static void fork_threads(void) {
    start();
    thread_of(1, lt_gettid(), false);
    thread_of((uint64_t)pthread_self(), NOBODY, false);
    struct lt_program_thread *under_way = conceive(true);
    lt_track_forked();
    struct lt_program_thread seen;
    uint32_t i = 0;
    CHILD_CHECK(under_way && listed() == 1 && lt_program_thread_next(&i, &seen));
    CHILD_CHECK(seen.handle == (uint64_t)pthread_self() && seen.inherited && seen.tid == lt_gettid());
    CHILD_CHECK(join((uint64_t)pthread_self()) && live(LT_KIND_THREAD) == 0 && acquired(LT_KIND_THREAD) == 0);
}

static void a_forked_child_keeps_its_only_thread(void **state) {
    (void)state;
    assert_child_passes(fork_threads);
}

static void put_and_take(void) {
    enum { MANY = 5000 };
    struct lt_handle taken;
    start();
    for (uint64_t i = 0; i < MANY; i++)
        CHILD_CHECK(
            lt_handle_put(&(struct lt_handle){.handle = i, .holding = acquire(LT_KIND_TIMER), .kind = LT_KIND_TIMER}));
    CHILD_CHECK(live(LT_KIND_TIMER) == MANY && !lt_handle_take(LT_KIND_STREAM, 7, &taken));
    CHILD_CHECK(
        lt_handle_put(&(struct lt_handle){.handle = 7, .holding = acquire(LT_KIND_STREAM), .kind = LT_KIND_STREAM}));
    CHILD_CHECK(lt_handle_take(LT_KIND_TIMER, 7, &taken) && taken.kind == LT_KIND_TIMER && taken.handle == 7);
    lt_resource_release(self, &taken.holding, 1, 0);
    CHILD_CHECK(!lt_handle_take(LT_KIND_TIMER, 7, &taken) && live(LT_KIND_TIMER) == MANY - 1);
    CHILD_CHECK(
        lt_handle_put(&(struct lt_handle){.handle = 8, .holding = acquire(LT_KIND_TIMER), .kind = LT_KIND_TIMER}));
    CHILD_CHECK(live(LT_KIND_TIMER) == MANY - 1 && lt_untracked_count(LT_UNTRACKED_MISSED_RELEASE) == 1);
    uint64_t timers = 0, streams = 0, sum = 0;
    for (uint32_t i = 0; lt_handle_next(&i, &taken); i++) {
        timers += taken.kind == LT_KIND_TIMER;
        streams += taken.kind == LT_KIND_STREAM;
        sum += taken.handle;
    }
    CHILD_CHECK(timers == MANY - 1 && streams == 1 && sum == (uint64_t)MANY * (MANY - 1) / 2);
    lt_track_forked();
    uint32_t i = 0;
    CHILD_CHECK(lt_handle_next(&i, &taken) && taken.kind == LT_KIND_STREAM && taken.inherited);
    CHILD_CHECK(++i && !lt_handle_next(&i, &taken));
    CHILD_CHECK(live(LT_KIND_TIMER) == 0 && live(LT_KIND_STREAM) == 0);
}

static void handles_are_known_by_kind_and_number(void **state) {
    (void)state;
    assert_child_passes(put_and_take);
}

static void run_out(void) {
    start();
    acquire(LT_KIND_TIMER);
    lt_arena_fail_after(1);
    CHILD_CHECK(
        !lt_handle_put(&(struct lt_handle){.handle = 1, .holding = acquire(LT_KIND_TIMER), .kind = LT_KIND_TIMER}));
    CHILD_CHECK(live(LT_KIND_TIMER) == 1 && lt_untracked_count(LT_UNTRACKED_ARENA_FULL) == 1);
    lt_arena_fail_after(0);
    acquire(LT_KIND_THREAD);
    lt_arena_fail_after(1);
    const struct lt_program_thread wanted = {.holding = acquire(LT_KIND_THREAD)};
    CHILD_CHECK(!lt_program_thread_new(self, &wanted) && live(LT_KIND_THREAD) == 1 && acquired(LT_KIND_THREAD) == 1);
    CHILD_CHECK(lt_untracked_count(LT_UNTRACKED_ARENA_FULL) == 2);
}

static void memory_may_run_out(void **state) {
    (void)state;
    assert_child_passes(run_out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_join_releases),
        cmocka_unit_test(a_late_joiner_takes_nobody_elses_record),
        cmocka_unit_test(a_creator_may_be_late),
        cmocka_unit_test(a_detached_thread_is_released_at_its_end),
        cmocka_unit_test(ended_detached_threads_make_room),
        cmocka_unit_test(a_forked_child_keeps_its_only_thread),
        cmocka_unit_test(handles_are_known_by_kind_and_number),
        cmocka_unit_test(memory_may_run_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
