/* Stacks of all shapes, each captured by the native unwinder and by libunwind. */
#include "unwind_judge.h"

#include "base/attrs.h"

#include <alloca.h>
#include <immintrin.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

#include <cmocka.h>

#define KEEP_FRAME() __asm__ volatile("" ::: "memory") /* no tail call */

static void assert_all_equal(uint32_t at_least) {
    uint32_t equal, different;
    judge_take_counts(&equal, &different);
    assert_int_equal(different, 0);
    assert_true(equal >= at_least);
}

static LT_NOINLINE void leaf(void) {
    judge();
    KEEP_FRAME();
}

static void a_plain_stack_ends_at_start(void **state) {
    (void)state;
    leaf();
    const struct judgement *j = judge_last();
    assert_int_equal(j->stack.flags, 0);
    assert_true(j->stack.depth > 4);
    assert_all_equal(1);
}

static LT_NOINLINE void recurse(int n) {
    if (n == 0)
        leaf();
    else
        recurse(n - 1);
    KEEP_FRAME();
}

static void three_hundred_frames_are_whole(void **state) {
    (void)state;
    recurse(300);
    assert_true(judge_last()->stack.depth > 300);
    assert_int_equal(judge_last()->stack.flags, 0);
    assert_all_equal(1);
}

static void five_thousand_frames_keep_the_innermost(void **state) {
    (void)state;
    recurse(5000);
    assert_true(judge_last()->judge_depth > 5000);
    assert_int_equal(judge_last()->stack.depth, LT_DEPTH_MAX);
    assert_int_equal(judge_last()->stack.flags, LT_STACK_TRUNCATED);
    assert_all_equal(1);
}

static LT_NOINLINE void with_alloca(size_t size) {
    char *volatile room = alloca(size);
    room[0] = 1;
    leaf();
    KEEP_FRAME();
}

static void variable_frames(void **state) {
    (void)state;
    for (size_t size = 1; size < 20000; size = size * 3 + 5)
        with_alloca(size);
    assert_all_equal(8);
}

int main(void) {
    judge_start(LT_DEPTH_MAX, "native");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plain_stack_ends_at_start),
        cmocka_unit_test(three_hundred_frames_are_whole),
        cmocka_unit_test(five_thousand_frames_keep_the_innermost),
        cmocka_unit_test(variable_frames),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
