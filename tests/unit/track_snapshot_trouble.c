/* Snapshots in trouble: a full disk, no memory, a small stack, other threads that want one too. */
#include "os/task.h"
#include "track/snapshot.h"
#include "track_fake_unwind.h"
#include "track_world.h"

#include "unit.h"
#include "unit_child.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>

/* The disk is full at every place in turn: the file ends with the last good snapshot, and the next one has it all. */
static void survive_full_disk(void) {
    world_start();
    world_open_file();
    signal(SIGXFSZ, SIG_DFL);
    unsigned seed = 3, failures = 0;
    struct rlimit limit;
    getrlimit(RLIMIT_FSIZE, &limit);
    const rlim_t all = limit.rlim_cur;
    world_run(&seed, 100, 0, 1);
    CHILD_CHECK(world_snapshot(false, 0) == 0);
    for (rlim_t room = 0; room < 40000; room += 211) {
        uint64_t before = world_file.committed;
        world_run(&seed, 20, 0, 1);
        fake_unload(2, room % 422 ? 0 : lt_unwind_epoch() + 1);
        limit.rlim_cur = before + room;
        setrlimit(RLIMIT_FSIZE, &limit);
        int status = world_snapshot(false, LT_SNAPSHOT_LAST);
        limit.rlim_cur = all;
        setrlimit(RLIMIT_FSIZE, &limit);
        CHILD_CHECK(status == 0 || status == -EFBIG);
        failures += status != 0;
        if (status != 0) {
            CHILD_CHECK(world_file.committed == before);
            CHILD_CHECK(world_read(world_path) != NULL);
            CHILD_CHECK(room % 3 || world_snapshot(false, 0) == 0);
        }
        CHILD_CHECK((status != 0 && room % 3) || world_equals(world_path));
    }
    CHILD_CHECK(failures > 10);
    struct lt_snapshot_stats stats;
    lt_snapshot_stats(&stats);
    CHILD_CHECK(stats.failed == failures && stats.completed == world_read(world_path)->snapshot_count);
    world_remove_file();
}

static void survives_a_full_disk_at_every_place(void **state) {
    (void)state;
    assert_child_passes(survive_full_disk);
}

/* No memory for the snapshot itself: what is written is right, and it says that sites are missing. */
static void run_short_of_memory(void) {
    world_start();
    world_open_file();
    unsigned seed = 6;
    world_run_threads();
    world_run(&seed, 1000, 0, 1);
    struct rlimit limit;
    getrlimit(RLIMIT_AS, &limit);
    limit.rlim_cur = 1 << 20;
    setrlimit(RLIMIT_AS, &limit);
    int status = world_snapshot(false, 0);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_AS, &limit);
    CHILD_CHECK(status == 0);
    const struct lt_dump_snapshot *last = world_last(world_read(world_path));
    CHILD_CHECK(last->flags == LT_SNAPSHOT_INCOMPLETE);
    const struct lt_dump_totals poor = last->totals[LT_KIND_HEAP];
    CHILD_CHECK(last->site_count == 0);
    CHILD_CHECK(world_snapshot(false, 0) == 0);
    CHILD_CHECK(world_equals(world_path));
    CHILD_CHECK(memcmp(&poor, &world_last(world_read(world_path))->totals[LT_KIND_HEAP], sizeof poor) == 0);
    world_remove_file();
}

static void says_when_it_ran_short_of_memory(void **state) {
    (void)state;
    lt_skip_when(LT_SANITIZED, "AddressSanitizer's shadow exceeds every address space limit");
    assert_child_passes(run_short_of_memory);
}

/* The library's own stack is small, and so may be the thread's that a snapshot runs on. */
enum { STACK_SIZE = 256 * 1024, STACK_BUDGET = 4096, PAINT = 0xa5 };

static void *snapshot_on_painted_stack(void *bottom) {
    unsigned char *stack = bottom;
    unsigned char *here = __builtin_frame_address(0);
    memset(stack, PAINT, (size_t)(here - stack) - 512);
    CHILD_CHECK(world_snapshot(true, LT_SNAPSHOT_LAST) == 0);
    while (*stack == PAINT)
        stack++;
    print_message("%ld bytes of stack\n", (long)(here - stack));
    CHILD_CHECK(here - stack < STACK_BUDGET + 512);
    return NULL;
}

static void use_little_stack(void) {
    world_start();
    world_open_file();
    world_run_threads();
    pthread_t thread;
    pthread_attr_t attributes;
    void *stack = mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    pthread_attr_init(&attributes);
    CHILD_CHECK(pthread_attr_setstack(&attributes, stack, STACK_SIZE) == 0);
    CHILD_CHECK(pthread_create(&thread, &attributes, snapshot_on_painted_stack, stack) == 0);
    pthread_join(thread, NULL);
    CHILD_CHECK(world_equals(world_path));
    world_remove_file();
}

static void needs_less_than_4_KiB_of_stack(void **state) {
    (void)state;
    lt_skip_when(LT_SANITIZED, "AddressSanitizer's frames are larger");
    assert_child_passes(use_little_stack);
}

static void *try_lock(void *status) {
    *(int *)status = lt_snapshot_try_lock();
    return NULL;
}

static int lock_elsewhere(void) {
    pthread_t thread;
    int status;
    pthread_create(&thread, NULL, try_lock, &status);
    pthread_join(thread, NULL);
    return status;
}

static void lock_and_unlock(void) {
    CHILD_CHECK(lt_snapshot_try_lock() == 0);
    CHILD_CHECK(lt_snapshot_try_lock() == -EDEADLK);
    CHILD_CHECK(lock_elsewhere() == -EBUSY);
    pid_t pid = fork();
    if (pid == 0) { /* the holder is in another process: stale here */
        CHILD_CHECK(lt_snapshot_try_lock() == 0);
        _exit(0);
    }
    int status;
    CHILD_CHECK(waitpid(pid, &status, 0) == pid && status == 0);
    lt_snapshot_unlock();
    CHILD_CHECK(lock_elsewhere() == 0); /* and that thread is dead now, or about to be */
    for (int i = 0; i < 1000 && (status = lt_snapshot_try_lock()) == -EBUSY; i++)
        usleep(1000);
    CHILD_CHECK(status == 0);
    lt_snapshot_hand_over(lt_gettid());
    CHILD_CHECK(lt_snapshot_try_lock() == -EDEADLK);
}

static void locks_out_living_threads_only(void **state) {
    (void)state;
    assert_child_passes(lock_and_unlock);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(survives_a_full_disk_at_every_place),
        cmocka_unit_test(says_when_it_ran_short_of_memory),
        cmocka_unit_test(needs_less_than_4_KiB_of_stack),
        cmocka_unit_test(locks_out_living_threads_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
