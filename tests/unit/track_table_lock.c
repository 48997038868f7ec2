/* The tables' lock: exclusive, and never waited for without end. */
#include "os/clock.h"
#include "os/task.h"
#include "track/counters.h"
#include "track/table_lock.h"

#include "unit.h"
#include "unit_child.h"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>

static struct lt_table_lock lock;
static volatile sig_atomic_t got_it;

static int reset(void **state) {
    (void)state;
    lt_clock_init();
    lt_table_lock_reset(&lock);
    lt_untracked_forked();
    got_it = -1;
    return 0;
}

static void *count_up(void *number) {
    for (int i = 0; i < 50000; i++) {
        assert_true(lt_table_lock(&lock));
        *(volatile long *)number = *(volatile long *)number + 1;
        lt_table_unlock(&lock);
    }
    return NULL;
}

static void lets_one_in_at_a_time(void **state) {
    (void)state;
    enum { THREADS = 4 };
    pthread_t threads[THREADS];
    long number = 0;
    for (int i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, count_up, &number);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(number, THREADS * 50000);
}

static void try_in_handler(int signal) {
    (void)signal;
    got_it = lt_table_lock(&lock);
    if (got_it)
        lt_table_unlock(&lock);
}

static void refuses_a_handler_of_the_holder(void **state) {
    (void)state;
    signal(SIGUSR1, try_in_handler);
    assert_true(lt_table_lock(&lock));
    raise(SIGUSR1);
    assert_int_equal(got_it, false);
    assert_int_equal(lt_untracked_count(LT_UNTRACKED_BUSY), 1);
    lt_table_unlock(&lock);
    raise(SIGUSR1);
    assert_int_equal(got_it, true);
}

static void refuses_a_handler_on_the_alternate_stack(void **state) {
    (void)state;
    static char stack[64 * 1024];
    assert_int_equal(sigaltstack(&(stack_t){.ss_sp = stack, .ss_size = sizeof stack}, NULL), 0);
    sigaction(SIGUSR1, &(struct sigaction){.sa_handler = try_in_handler, .sa_flags = SA_ONSTACK}, NULL);
    assert_true(lt_table_lock(&lock));
    raise(SIGUSR1);
    assert_int_equal(got_it, false);
    lt_table_unlock(&lock);
    sigaltstack(&(stack_t){.ss_flags = SS_DISABLE}, NULL);
}

static sigjmp_buf way_out;
static void jump(int signal) {
    (void)signal;
    siglongjmp(way_out, 1);
}

static __attribute__((noinline)) void hold_and_jump(void) {
    if (lt_table_lock(&lock))
        raise(SIGUSR1);
    fail();
}

static void is_free_after_a_jump_out(void **state) {
    (void)state;
    signal(SIGUSR1, jump);
    if (sigsetjmp(way_out, 1) == 0)
        hold_and_jump();
    assert_true(lt_table_lock(&lock));
    lt_table_unlock(&lock);
    assert_int_equal(lt_untracked_count(LT_UNTRACKED_BUSY), 0);
}

static void *hold(void *unused) {
    assert_true(lt_table_lock(&lock));
    return unused;
}

static void is_free_after_the_holders_death(void **state) {
    (void)state;
    pthread_t thread;
    pthread_create(&thread, NULL, hold, NULL);
    pthread_join(thread, NULL);
    bool had = false; /* the kernel may know the tid for a moment yet */
    for (int i = 0; i < 1000 && !had; i++)
        had = lt_table_lock(&lock);
    assert_true(had);
    lt_table_unlock(&lock);
}

static void *try_twice(void *seconds) {
    const uint64_t begin = lt_clock_mono_ns();
    assert_false(lt_table_lock(&lock));
    ((double *)seconds)[0] = (double)(lt_clock_mono_ns() - begin) * 1e-9;
    for (int i = 0; i < 1000; i++)
        assert_false(lt_table_lock(&lock));
    ((double *)seconds)[1] = (double)(lt_clock_mono_ns() - begin) * 1e-9;
    return NULL;
}

/* Held for ever by a living thread: one wait, and then none; a thousand seconds would be noticed. */
static void is_waited_for_once(void **state) {
    (void)state;
    double seconds[2];
    pthread_t thread;
    assert_true(lt_table_lock(&lock));
    pthread_create(&thread, NULL, try_twice, seconds);
    pthread_join(thread, NULL);
    print_message("first %.3f s, all %.3f s\n", seconds[0], seconds[1]);
    assert_true(seconds[0] > 0.9 && seconds[1] < 300);
    assert_int_equal(lt_untracked_count(LT_UNTRACKED_BUSY), 1001);
    lt_table_unlock(&lock);
    assert_true(lt_table_lock(&lock));
    lt_table_unlock(&lock);
}

static void is_free_in_a_forked_child(void) {
    lt_table_lock_reset(&lock);
    CHILD_CHECK(lt_table_lock(&lock));
}

static void a_forked_child_gets_it(void **state) {
    (void)state;
    assert_true(lt_table_lock(&lock));
    assert_child_passes(is_free_in_a_forked_child);
    lt_table_unlock(&lock);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(lets_one_in_at_a_time, reset),
        cmocka_unit_test_setup(refuses_a_handler_of_the_holder, reset),
        cmocka_unit_test_setup(refuses_a_handler_on_the_alternate_stack, reset),
        cmocka_unit_test_setup(is_free_after_a_jump_out, reset),
        cmocka_unit_test_setup(is_free_after_the_holders_death, reset),
        cmocka_unit_test_setup(is_waited_for_once, reset),
        cmocka_unit_test_setup(a_forked_child_gets_it, reset),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
