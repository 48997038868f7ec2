/* The tables of threads that come and go, forks, and the tracker's own sums. */
#include "os/arena.h"
#include "os/task.h"
#include "track/counters.h"
#include "track/live_index.h"
#include "track/thread.h"
#include "track_fake_unwind.h"
#include "track_world.h"

#include "unit.h"
#include "unit_child.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/time.h>

static bool sums_agree(void) {
    struct lt_totals totals;
    uint64_t live_count = 0, live_bytes = 0, alloc_count = 0;
    lt_totals(LT_KIND_HEAP, &totals);
    for (int n = 0; n < WORLD_STACKS; n++) {
        live_count += world_stacks[n].live_count;
        live_bytes += world_stacks[n].live_bytes;
        alloc_count += world_stacks[n].alloc_count;
    }
    return totals.acquired_count == alloc_count && lt_own_acquires() == alloc_count &&
           totals.acquired_count - totals.released_count == live_count &&
           totals.acquired_bytes - totals.released_bytes == live_bytes &&
           totals.released_count == world_released_count && totals.released_bytes == world_released_bytes;
}

static void *one_event(void *number) {
    unsigned block = (unsigned)(uintptr_t)number;
    struct lt_thread *thread = lt_thread_attach();
    CHILD_CHECK(thread && lt_thread_attach() == thread);
    world_acquire(thread, block, (int)block % WORLD_STACKS, block);
    return NULL;
}

/* Thousands of threads, a few at a time: memory follows how many there are at once. */
static void come_and_go(void) {
    enum { ROUNDS = 500, AT_ONCE = 8 };
    struct lt_arena_usage early, late;
    world_start();
    for (int round = 0; round < ROUNDS; round++) {
        pthread_t threads[AT_ONCE];
        for (uintptr_t i = 0; i < AT_ONCE; i++)
            CHILD_CHECK(pthread_create(&threads[i], NULL, one_event, (void *)((uintptr_t)round * AT_ONCE + i)) == 0);
        for (int i = 0; i < AT_ONCE; i++)
            pthread_join(threads[i], NULL);
        if (round == ROUNDS / 4)
            lt_arena_usage(&early);
    }
    lt_arena_usage(&late);
    CHILD_CHECK(sums_agree() && lt_own_acquires() == ROUNDS * AT_ONCE);
    /* the tid of a joined thread may live for a moment longer */
    print_message("%u tables for %d threads\n", lt_thread_tables(), ROUNDS * AT_ONCE);
    CHILD_CHECK(lt_thread_tables() <= 8 * AT_ONCE);
    CHILD_CHECK(lt_thread_adoptions() + lt_thread_tables() == ROUNDS * AT_ONCE);
    CHILD_CHECK(late.used - early.used < 1 << 20); /* 3,000 tables more would be 13 MiB */
}

static void tables_of_dead_threads_find_new_owners(void **state) {
    (void)state;
    assert_child_passes(come_and_go);
}

static void *free_them(void *unused) {
    struct lt_thread *thread = lt_thread_attach();
    for (unsigned block = 0; block < 1000; block++)
        CHILD_CHECK(world_release(block % 2 ? thread : NULL, block));
    return unused;
}

static void free_elsewhere(void) {
    world_start();
    for (unsigned block = 0; block < 1000; block++)
        world_acquire(lt_thread_attach(), block, (int)block % WORLD_STACKS, block);
    CHILD_CHECK(sums_agree());
    pthread_t thread;
    pthread_create(&thread, NULL, free_them, NULL);
    pthread_join(thread, NULL);
    struct lt_totals totals;
    lt_totals(LT_KIND_HEAP, &totals);
    CHILD_CHECK(sums_agree() && totals.released_count == 1000 && totals.acquired_bytes == totals.released_bytes);
}

static void blocks_freed_by_other_threads_are_counted(void **state) {
    (void)state;
    assert_child_passes(free_elsewhere);
}

static void fork_and_go_on(void) {
    world_start();
    pthread_t thread;
    pthread_create(&thread, NULL, one_event, (void *)5);
    pthread_join(thread, NULL);
    unsigned seed = 1;
    world_run(&seed, 1000, 0, 1);
    struct lt_thread *own = lt_thread_attach();
    const uint32_t before = lt_thread_tables();
    pid_t pid = fork();
    if (pid == 0) {
        lt_track_forked();
        world_forked();
        CHILD_CHECK(lt_own_acquires() == 0 && lt_untracked_count(LT_UNTRACKED_MISSED_RELEASE) == 0);
        CHILD_CHECK(lt_thread_attach() == own);
        for (unsigned block = 0; block < 100; block++) { /* whatever the parent had there is gone */
            lt_release(own, LT_KIND_HEAP, world_address(block));
            world_acquire(own, block, 0, 7);
        }
        CHILD_CHECK(sums_agree() && lt_own_acquires() == 100);
        pthread_create(&thread, NULL, one_event, (void *)200); /* adopts the table that the fork left behind */
        pthread_join(thread, NULL);
        CHILD_CHECK(before > 1 ? lt_thread_tables() == before : true);
        CHILD_CHECK(lt_own_acquires() == 101);
        pid = fork(); /* and once more: what the first child acquired is inherited now, too */
        if (pid == 0) {
            lt_track_forked();
            CHILD_CHECK(lt_release(lt_thread_attach(), LT_KIND_HEAP, world_address(1)));
            struct lt_totals totals;
            lt_totals(LT_KIND_HEAP, &totals);
            CHILD_CHECK(totals.released_count == 0 && totals.acquired_count == 0);
            _exit(0);
        }
    }
    const bool is_child = own && lt_own_acquires() == 101;
    int status;
    CHILD_CHECK(waitpid(pid, &status, 0) == pid && status == 0);
    if (is_child)
        _exit(0);
    CHILD_CHECK(sums_agree());
}

static void a_forked_child_starts_from_zero(void **state) {
    (void)state;
    assert_child_passes(fork_and_go_on);
}

/* Every allocation of the arena in turn is the first to fail, from the very start of a thread: every event that is not
 * recorded is counted, everything else stays exact. */
static void *attach_and_run(void *seed) {
    struct lt_thread *thread = lt_thread_attach();
    if (!thread)
        return NULL; /* the caller counts its events */
    world_run(seed, 3000, 0, 1);
    return thread;
}

static void fail_one_by_one(void) {
    unsigned seed = 11, without = 0;
    world_start();
    world_open_file();
    for (uint64_t n = 1; n < 200; n += n < 40 ? 1 : 7) {
        pthread_t thread;
        void *table;
        CHILD_CHECK(pthread_create(&thread, NULL, attach_and_run, &seed) == 0);
        pthread_join(thread, &table);
        without += table == NULL;
        lt_arena_fail_after(n);
        CHILD_CHECK(pthread_create(&thread, NULL, attach_and_run, &seed) == 0);
        pthread_join(thread, &table);
        CHILD_CHECK(world_snapshot(true, 0) == 0 && world_equals(world_path)); /* needs nothing of the arena */
        lt_arena_fail_after(0);
        without += table == NULL;
        CHILD_CHECK(sums_agree());
        CHILD_CHECK(lt_untracked_count(LT_UNTRACKED_ARENA_FULL) == world_lost);
        lt_track_forked(); /* empty tables again: every allocation is made anew */
        unlink(world_path);
        lt_dump_file_forked(&world_file, world_path);
        world_forked();
        for (unsigned block = 0; block < WORLD_BLOCKS; block++)
            if (world_blocks[block].held) {
                lt_release(NULL, LT_KIND_HEAP, world_address(block));
                world_blocks[block].held = false;
            }
    }
    CHILD_CHECK(without < 5);
    world_remove_file();
}

static void every_event_that_finds_no_memory_is_counted(void **state) {
    (void)state;
    assert_child_passes(fail_one_by_one);
}

/* Handlers release (a release needs no guard) while the thread they interrupt releases: no count gets lost. */
enum { HANDLER_BLOCKS = 2000000 };
static struct lt_thread *interrupted;
static volatile sig_atomic_t next_in_handler = HANDLER_BLOCKS / 2;
static void release_in_handler(int signal) {
    (void)signal;
    for (int i = 0; i < 20 && next_in_handler < HANDLER_BLOCKS; i++)
        lt_release(interrupted, LT_KIND_HEAP, 0x600000000000 + (uintptr_t)next_in_handler++ * 16);
}

static void release_in_handlers(void) {
    world_start();
    world_use_stack(0);
    interrupted = lt_thread_attach();
    for (uintptr_t i = 0; i < HANDLER_BLOCKS; i++)
        CHILD_CHECK(lt_acquire(interrupted, LT_KIND_HEAP, 0x600000000000 + i * 16, 1, &(struct lt_regs){0, 0, 0}) >= 0);
    signal(SIGALRM, release_in_handler);
    setitimer(ITIMER_REAL, &(struct itimerval){{0, 50}, {0, 50}}, NULL);
    for (uintptr_t i = 0; i < HANDLER_BLOCKS / 2; i++)
        lt_release(interrupted, LT_KIND_HEAP, 0x600000000000 + i * 16);
    setitimer(ITIMER_REAL, &(struct itimerval){{0, 0}, {0, 0}}, NULL);
    struct lt_totals totals;
    lt_totals(LT_KIND_HEAP, &totals);
    CHILD_CHECK(next_in_handler > HANDLER_BLOCKS / 2);
    CHILD_CHECK(totals.released_count == (uint64_t)next_in_handler && totals.released_bytes == totals.released_count);
}

static void releases_in_handlers_lose_no_count(void **state) {
    (void)state;
    assert_child_passes(release_in_handlers);
}

/* errno is the program's. */
static void keep_errno(void) {
    world_start();
    errno = EXDEV;
    unsigned seed = 2;
    world_run(&seed, 5000, 0, 1);
    CHILD_CHECK(errno == EXDEV);
}

static void errno_is_left_alone(void **state) {
    (void)state;
    assert_child_passes(keep_errno);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tables_of_dead_threads_find_new_owners),
        cmocka_unit_test(blocks_freed_by_other_threads_are_counted),
        cmocka_unit_test(a_forked_child_starts_from_zero),
        cmocka_unit_test(every_event_that_finds_no_memory_is_counted),
        cmocka_unit_test(releases_in_handlers_lose_no_count),
        cmocka_unit_test(errno_is_left_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
