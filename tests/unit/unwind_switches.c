/* Threads and coroutines: stacks that begin, end, and are switched under the unwinder's feet. */
#include "unwind_judge.h"

#include "base/attrs.h"
#include "unit.h"
#include "unit_child.h"

#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <ucontext.h>

#define KEEP_FRAME() __asm__ volatile("" ::: "memory")

enum { PAGE = 4096 };

static void assert_all_equal(uint32_t at_least) {
    struct judge_counts counts = judge_take_counts();
    assert_int_equal(counts.different, 0);
    assert_int_equal(counts.cut, 0);
    assert_true(counts.equal >= at_least);
}

static LT_NOINLINE void recurse(int n) {
    if (n == 0)
        judge();
    else
        recurse(n - 1);
    KEEP_FRAME();
}

/* ---- coroutines ---- */

enum { COROUTINES = 9, ROUNDS = 20, COROUTINE_STACK = 16 * PAGE };

static ucontext_t scheduler, coroutines[COROUTINES];

static void coroutine(int number) {
    for (int round = 0; round < ROUNDS; round++) {
        recurse(number + round % 3);
        swapcontext(&coroutines[number], &scheduler);
    }
}

/* A stack between two pages that can't be read: one word too far, and the test dies. */
static char *guarded_stack(void) {
    char *base = mmap(NULL, COROUTINE_STACK + 2 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    mprotect(base + PAGE, COROUTINE_STACK, PROT_READ | PROT_WRITE);
    return base + PAGE;
}

static void free_guarded_stack(char *stack) {
    lt_unwind_range_gone((uintptr_t)stack, (uintptr_t)stack + COROUTINE_STACK);
    munmap(stack - PAGE, COROUTINE_STACK + 2 * PAGE);
}

static void start_coroutine(int number, char *stack) {
    ucontext_t *c = &coroutines[number];
    getcontext(c);
    c->uc_stack = (stack_t){.ss_sp = stack, .ss_size = COROUTINE_STACK};
    c->uc_link = &scheduler;
    makecontext(c, (void (*)(void))coroutine, 1, number);
}

static void coroutines_take_turns(void **state) {
    (void)state;
    char *stacks[COROUTINES];
    for (int i = 0; i < COROUTINES; i++)
        start_coroutine(i, stacks[i] = guarded_stack());
    for (int turn = 0; turn < COROUTINES * ROUNDS; turn++) {
        swapcontext(&scheduler, &coroutines[turn % COROUTINES]);
        assert_int_equal(judge_last()->stack.flags, 0);
    }
    for (int i = 0; i < COROUTINES; i++)
        free_guarded_stack(stacks[i]);
    assert_all_equal(COROUTINES * ROUNDS);
}

static void a_stack_where_a_larger_one_was(void **state) {
    (void)state;
    char *stack = guarded_stack();
    for (int i = 0; i < 10; i++) {
        start_coroutine(0, stack);
        swapcontext(&scheduler, &coroutines[0]);
        lt_unwind_range_gone((uintptr_t)stack, (uintptr_t)stack + COROUTINE_STACK);
        mprotect(stack, COROUTINE_STACK, i % 2 ? PROT_READ | PROT_WRITE : PROT_NONE);
        mprotect(stack, COROUTINE_STACK, PROT_READ | PROT_WRITE);
    }
    free_guarded_stack(stack);
    assert_all_equal(10);
}

/* Many ranges go at once: a thread that has not kept up with all of them knows nothing any more. */
static void many_ranges_go(void **state) {
    (void)state;
    recurse(3);
    struct lt_unwind_stats before, after;
    lt_unwind_stats(&before);
    for (uintptr_t i = 1; i < 1000; i++)
        lt_unwind_range_gone(i * PAGE, i * PAGE + PAGE);
    recurse(3);
    lt_unwind_stats(&after);
    assert_true(after.bounds_lookups > before.bounds_lookups);
    for (uintptr_t i = 1; i < 10; i++)
        lt_unwind_range_gone(i * PAGE, i * PAGE + PAGE);
    recurse(3);
    before = after;
    lt_unwind_stats(&after);
    assert_int_equal(after.bounds_lookups, before.bounds_lookups);
    assert_all_equal(3);
}

/* ---- threads ---- */

static void *thread_main(void *depth) {
    recurse((int)(intptr_t)depth);
    bool whole = judge_last()->stack.flags == 0;
    judge_thread_ends();
    return (void *)(intptr_t)whole;
}

static void run_thread(size_t stack_size, int depth) {
    pthread_attr_t attributes;
    pthread_t thread;
    void *whole;
    pthread_attr_init(&attributes);
    assert_int_equal(pthread_attr_setstacksize(&attributes, stack_size), 0);
    assert_int_equal(pthread_create(&thread, &attributes, thread_main, (void *)(intptr_t)depth), 0);
    pthread_join(thread, &whole);
    pthread_attr_destroy(&attributes);
    assert_true(whole);
}

static void threads_die_by_the_thousand(void **state) {
    (void)state;
    for (int i = 0; i < 1000; i++)
        run_thread(i % 2 ? 1 << 20 : 1 << 16, i % 7);
    assert_all_equal(1000);
}

static void *in_sixteen_kilobytes(void *unused) {
    struct lt_unwind_state *unwinder = lt_unwind_state_new();
    uintptr_t *frame = __builtin_frame_address(0);
    struct lt_regs from = {.ip = frame[1], .sp = (uintptr_t)(frame + 2), .fp = frame[0]};
    struct lt_stack stack;
    lt_unwind_capture(unwinder, &from, &stack);
    (void)unused;
    return (void *)(intptr_t)(stack.flags == 0 && stack.depth >= 1);
}

static void the_smallest_thread_stack(void **state) {
    (void)state;
    lt_skip_when(LT_SANITIZED, "the sanitizer's frames don't fit into so little");
    pthread_attr_t attributes;
    pthread_t thread;
    void *good;
    pthread_attr_init(&attributes);
    assert_int_equal(pthread_attr_setstacksize(&attributes, 16384), 0);
    assert_int_equal(pthread_create(&thread, &attributes, in_sixteen_kilobytes, NULL), 0);
    pthread_join(thread, &good);
    pthread_attr_destroy(&attributes);
    assert_true(good);
}

static void judge_in_cleanup(void *unused) {
    (void)unused;
    judge();
    judge_thread_ends();
}

static void *wait_for_cancellation(void *ready) {
    pthread_cleanup_push(judge_in_cleanup, NULL);
    judge();
    pthread_barrier_wait(ready);
    for (;;)
        pause();
    pthread_cleanup_pop(0);
    return NULL;
}

static void cancellation_unwinds_through(void **state) {
    (void)state;
    pthread_barrier_t ready;
    pthread_t thread;
    pthread_barrier_init(&ready, NULL, 2);
    assert_int_equal(pthread_create(&thread, NULL, wait_for_cancellation, &ready), 0);
    pthread_barrier_wait(&ready);
    pthread_cancel(thread);
    pthread_join(thread, NULL);
    pthread_barrier_destroy(&ready);
    struct judge_counts counts = judge_take_counts();
    assert_int_equal(counts.different, 0);
    assert_true(counts.equal >= 1);
}

static void *deep_thread(void *unused) {
    (void)unused;
    for (int depth = 1; depth < 3000; depth = depth * 3 / 2 + 1)
        recurse(depth); /* below the low end known so far, again and again */
    judge_thread_ends();
    return NULL;
}

static void a_stack_that_grows(void **state) {
    (void)state;
    pthread_t thread;
    deep_thread(NULL);
    assert_int_equal(pthread_create(&thread, NULL, deep_thread, NULL), 0);
    pthread_join(thread, NULL);
    assert_all_equal(20);
}

/* ---- without /proc: a process that may not open anything ---- */

static void no_descriptors(void) {
    struct rlimit none = {0, 0};
    CHILD_CHECK(setrlimit(RLIMIT_NOFILE, &none) == 0);
    lt_unwind_range_gone(0, UINTPTR_MAX); /* what the parent knew */
    recurse(3);
    CHILD_CHECK(judge_last()->stack.flags == 0);
    recurse(2000);
    CHILD_CHECK(judge_last()->stack.depth == LT_DEPTH_MAX || judge_last()->stack.flags == 0);
    start_coroutine(0, guarded_stack());
    swapcontext(&scheduler, &coroutines[0]);
    CHILD_CHECK(judge_last()->stack.flags == 0);
    struct judge_counts counts = judge_take_counts();
    CHILD_CHECK(counts.different == 0 && counts.cut == 0);
}

static void without_proc(void **state) {
    (void)state;
    lt_skip_when(LT_SANITIZED, "the sanitizer's runtime needs descriptors");
    assert_child_passes(no_descriptors);
}

int main(void) {
    judge_start(LT_DEPTH_MAX, "native");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(coroutines_take_turns),
        cmocka_unit_test(a_stack_where_a_larger_one_was),
        cmocka_unit_test(many_ranges_go),
        cmocka_unit_test(threads_die_by_the_thousand),
        cmocka_unit_test(the_smallest_thread_stack),
        cmocka_unit_test(cancellation_unwinds_through),
        cmocka_unit_test(a_stack_that_grows),
        cmocka_unit_test(without_proc),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
