/* Threads, processes, sleeping. */
#include "os/task.h"

#include "os/clock.h"

#include "unit.h"
#include "unit_child.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <unistd.h>

static pthread_barrier_t ready, done;
static atomic_int some_tid;

static void *wait_at_the_barriers(void *argument) {
    atomic_store(&some_tid, lt_gettid());
    pthread_barrier_wait(&ready);
    pthread_barrier_wait(&done);
    return argument;
}

static bool comes_true(bool (*condition)(void)) {
    for (int i = 0; i < 2000 && !condition(); i++)
        lt_sleep_ns(1000000);
    return condition();
}

static bool one_thread_is_left(void) {
    return lt_thread_count() == 1;
}

static bool some_tid_is_gone(void) {
    return !lt_tid_alive(atomic_load(&some_tid));
}

static void counts_threads_as_they_come_and_go(void **state) {
    (void)state;
    enum { THREADS = 5 };
    pthread_t threads[THREADS];
    assert_int_equal(lt_thread_count(), 1);
    pthread_barrier_init(&ready, NULL, THREADS + 1);
    pthread_barrier_init(&done, NULL, THREADS + 1);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, wait_at_the_barriers, NULL), 0);
    pthread_barrier_wait(&ready);
    assert_int_equal(lt_thread_count(), THREADS + 1);
    assert_true(lt_tid_alive(atomic_load(&some_tid)));
    assert_int_not_equal(atomic_load(&some_tid), lt_gettid());
    pthread_barrier_wait(&done);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_true(comes_true(one_thread_is_left)); /* join returns a moment before the kernel is done */
    assert_true(comes_true(some_tid_is_gone));
}

static void *outlive_the_main_thread(void *argument) {
    lt_sleep_ns(30000000);
    CHILD_CHECK(lt_thread_count() == 2); /* the one that left stays as a zombie */
    CHILD_CHECK(lt_tid_alive(lt_getpid()));
    _exit(0);
    return argument;
}

static void leave_by_pthread_exit(void) {
    pthread_t thread;
    CHILD_CHECK(pthread_create(&thread, NULL, outlive_the_main_thread, NULL) == 0);
    pthread_exit(NULL);
}

static void counts_without_the_main_thread(void **state) {
    (void)state;
    assert_child_passes(leave_by_pthread_exit);
}

static int tell_pids_apart(void *parent) {
    int pid = lt_getpid();
    _exit(pid == (int)syscall(SYS_getpid) && pid != *(int *)parent ? 0 : 1);
}

static void tells_the_real_pid_in_a_child_that_libc_knows_nothing_of(void **state) {
    (void)state;
    static char stack[65536] __attribute__((aligned(16)));
    int parent = lt_getpid(), status;
    int pid = clone(tell_pids_apart, stack + sizeof stack, SIGCHLD, &parent);
    assert_true(pid > 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

static void tells_whether_a_process_lives(void **state) {
    (void)state;
    assert_true(lt_pid_alive(lt_getpid()));
    assert_true(lt_pid_alive(1));
    pid_t pid = fork();
    if (pid == 0)
        _exit(0);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    assert_false(lt_pid_alive(pid));
}

static void sees_init_without_privilege(void) {
    CHILD_CHECK(setresuid(65534, 65534, 65534) == 0);
    CHILD_CHECK(kill(1, 0) == -1 && errno == EPERM);
    CHILD_CHECK(lt_pid_alive(1));
}

static void counts_a_process_of_somebody_else_as_alive(void **state) {
    (void)state;
    lt_skip_when(geteuid() != 0, "becoming another user needs root");
    assert_child_passes(sees_init_without_privilege);
}

static uint32_t word;

static void *wake_a_little_later(void *argument) {
    lt_sleep_ns(10000000);
    __atomic_store_n(&word, 1, __ATOMIC_RELEASE);
    lt_futex_wake(&word, 1);
    return argument;
}

static void sleeps_on_a_futex_until_woken_or_too_late(void **state) {
    (void)state;
    pthread_t thread;
    uint64_t start = lt_clock_mono_ns();
    lt_futex_wait(&word, 99, 0); /* not the expected value: returns at once */
    lt_futex_wait(&word, 0, 20000000);
    uint64_t waited = lt_clock_mono_ns() - start;
    assert_in_range(waited, 20000000, 5000000000u);
    assert_int_equal(pthread_create(&thread, NULL, wake_a_little_later, NULL), 0);
    while (__atomic_load_n(&word, __ATOMIC_ACQUIRE) == 0)
        lt_futex_wait(&word, 0, 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(counts_threads_as_they_come_and_go),
    cmocka_unit_test(counts_without_the_main_thread),
    cmocka_unit_test(tells_the_real_pid_in_a_child_that_libc_knows_nothing_of),
    cmocka_unit_test(tells_whether_a_process_lives),
    cmocka_unit_test(counts_a_process_of_somebody_else_as_alive),
    cmocka_unit_test(sleeps_on_a_futex_until_woken_or_too_late),
};
LT_UNIT_MAIN(tests)
