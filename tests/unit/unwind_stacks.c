/* Stacks of all shapes, each captured by the native unwinder and by libunwind. */
#include "unwind_judge.h"

#include "base/attrs.h"
#include "unit.h"

#include <alloca.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define KEEP_FRAME() __asm__ volatile("" ::: "memory") /* no tail call */

/* unwind_frames.S, unwind_exceptions.cpp */
void frame_rbp_is_scratch(void (*callback)(void));
void frame_without_cfi(void (*callback)(void));
void frame_with_garbage(void (*callback)(void), uintptr_t rbp);
void frame_with_odd_cfi(void (*callback)(void));
void frame_with_saved_cfa(void (*callback)(void));
int exceptions_pass(int depth);

static void assert_all_equal(uint32_t at_least) {
    struct judge_counts counts = judge_take_counts();
    assert_int_equal(counts.different, 0);
    assert_true(counts.equal + counts.cut >= at_least);
}

static void assert_whole(void) {
    assert_int_equal(judge_last()->stack.flags, 0);
    assert_true(judge_last()->stack.depth > 4);
    assert_all_equal(1);
}

static LT_NOINLINE void leaf(void) {
    judge();
    KEEP_FRAME();
}

static void a_plain_stack_ends_at_start(void **state) {
    (void)state;
    leaf();
    assert_whole();
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
    assert_whole();
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

static void frames_of_variable_size(void **state) {
    (void)state;
    for (size_t size = 1; size < 20000; size = size * 3 + 5)
        with_alloca(size);
    assert_whole();
}

/* The stack pointer is aligned down by an amount that only the frame itself knows. */
typedef double wide __attribute__((vector_size(64), aligned(64)));

__attribute__((target("avx"))) static LT_NOINLINE void with_wide_locals(int n) {
    volatile wide room = {(double)n};
    leaf();
    if (n > 0)
        with_wide_locals(n - 1);
    KEEP_FRAME();
    (void)room;
}

__attribute__((force_align_arg_pointer)) static LT_NOINLINE void with_realigned_stack(size_t size) {
    char *volatile room = alloca(size);
    volatile wide local = {1};
    room[0] = 1;
    leaf();
    KEEP_FRAME();
    (void)local;
}

static void realigned_frames(void **state) {
    (void)state;
    lt_skip_when(!__builtin_cpu_supports("avx"), "this CPU has no AVX");
    for (size_t size = 8; size < 200; size += 8) {
        char *volatile shift = alloca(size); /* all remainders of 64 */
        shift[0] = 1;
        with_wide_locals(3);
        with_realigned_stack(size);
    }
    assert_whole();
}

static LT_NOINLINE void with_alloca_below_scratch(void) {
    with_alloca(100);
}

static void rbp_as_scratch_in_a_middle_frame(void **state) {
    (void)state;
    frame_rbp_is_scratch(with_alloca_below_scratch);
    frame_rbp_is_scratch(leaf);
    assert_whole();
}

static void cfa_saved_on_the_stack(void **state) {
    (void)state;
    frame_with_saved_cfa(with_alloca_below_scratch);
    frame_with_saved_cfa(leaf);
    assert_whole();
}

static void exceptions_thrown_through(void **state) {
    (void)state;
    assert_int_equal(exceptions_pass(10), 1);
    assert_all_equal(12);
}

static jmp_buf jump_target;
static volatile bool jumps = true; /* else the compiler sees a function that never returns */

static LT_NOINLINE void jump_out(int depth) {
    leaf();
    if (depth > 0)
        jump_out(depth - 1);
    else if (jumps)
        longjmp(jump_target, 1);
    KEEP_FRAME();
}

static void longjmp_out_of_deep_frames(void **state) {
    (void)state;
    for (volatile int i = 0; i < 5; i++) {
        if (setjmp(jump_target) == 0)
            jump_out(20 + i);
        leaf();
    }
    assert_whole();
}

/* ---- without unwind information ---- */

static void assembler_with_a_frame_pointer(void **state) {
    (void)state;
    frame_without_cfi(leaf);
    assert_whole();
}

/* What can be said there: nothing wrong up to that frame, and no fault. */
static void assembler_without_anything(void **state) {
    const uintptr_t garbage[] = {
        1, 0x1000, 0x1234567, (uintptr_t)&state, (uintptr_t)&state | 1, (uintptr_t)leaf, ~(uintptr_t)0};
    for (unsigned i = 0; i < LT_ARRAY_SIZE(garbage); i++) {
        frame_with_garbage(leaf, garbage[i]);
        const struct lt_stack *stack = &judge_last()->stack;
        assert_true(stack->depth >= 2);
        assert_true(judge_last()->differs_at >= 2);
    }
    judge_take_counts();
}

static void a_rule_beyond_the_classes_truncates(void **state) {
    (void)state;
    frame_with_odd_cfi(leaf);
    assert_int_equal(judge_last()->stack.flags, LT_STACK_TRUNCATED);
    assert_int_equal(judge_last()->stack.depth, 2);
    assert_all_equal(1);
}

/* push %rbp; mov %rsp, %rbp; call *%rdi; pop %rbp; ret */
static const unsigned char jit_code[] = {0x55, 0x48, 0x89, 0xe5, 0xff, 0xd7, 0x5d, 0xc3};

static void (*jit_compile(void))(void (*)(void)) {
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    memcpy(page, jit_code, sizeof jit_code);
    mprotect(page, 4096, PROT_READ | PROT_EXEC);
    void (*function)(void (*)(void));
    memcpy(&function, &page, sizeof function);
    return function;
}

static void code_of_a_jit_compiler(void **state) {
    (void)state;
    void (*function)(void (*)(void)) = jit_compile();
    function(leaf);
    assert_whole();
    lt_unwind_range_gone((uintptr_t)function, (uintptr_t)function + 4096);
    munmap((void *)(uintptr_t)function, 4096);
}

/* ---- garbage ---- */

static uint64_t random_word(void) {
    static uint64_t x = 88172645463325252;
    x ^= x << 13;
    x ^= x >> 7;
    return x ^= x << 17;
}

/* Words that are likely to lead somewhere: pointers into the stack itself, return addresses, other memory. */
static uintptr_t plausible_word(uintptr_t low, uintptr_t high) {
    static const struct judgement *last;
    last = judge_last();
    switch (random_word() % 6) {
    case 0:
        return low + random_word() % (high - low);
    case 1:
        return (low + random_word() % (high - low)) & ~(uintptr_t)7;
    case 2:
        return last->stack.frames[random_word() % last->stack.depth];
    case 3:
        return (uintptr_t)leaf + random_word() % 65536;
    case 4:
        return random_word() >> (random_word() % 64);
    default:
        return (uintptr_t)malloc + random_word() % 1000000;
    }
}

static void garbage_never_faults(void **state) {
    (void)state;
    enum { SIZE = 4 * 4096, ROUNDS = 200, STARTS = 200 };
    char *base = mmap(NULL, SIZE + 2 * 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    uintptr_t low = (uintptr_t)base + 4096, high = low + SIZE, *words = (uintptr_t *)low;
    assert_int_equal(mprotect((void *)low, SIZE, PROT_READ | PROT_WRITE), 0);
    struct lt_unwind_state *unwinder = lt_unwind_state_new();
    leaf(); /* for plausible_word */
    for (unsigned round = 0; round < ROUNDS; round++) {
        for (unsigned i = 0; i < SIZE / sizeof *words; i++)
            words[i] = plausible_word(low, high);
        for (unsigned i = 0; i < STARTS; i++) {
            struct lt_regs from = {plausible_word(low, high), low + random_word() % SIZE, plausible_word(low, high)};
            struct lt_stack stack;
            lt_unwind_capture(unwinder, &from, &stack);
            assert_true(stack.depth >= 1 && stack.depth <= LT_DEPTH_MAX);
            assert_int_equal(stack.frames[stack.depth - 1], from.ip);
        }
    }
    lt_unwind_range_gone((uintptr_t)base, high + 4096);
    munmap(base, SIZE + 2 * 4096);
    assert_all_equal(1);
}

int main(void) {
    judge_start(LT_DEPTH_MAX, "native");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plain_stack_ends_at_start),
        cmocka_unit_test(three_hundred_frames_are_whole),
        cmocka_unit_test(five_thousand_frames_keep_the_innermost),
        cmocka_unit_test(frames_of_variable_size),
        cmocka_unit_test(realigned_frames),
        cmocka_unit_test(rbp_as_scratch_in_a_middle_frame),
        cmocka_unit_test(cfa_saved_on_the_stack),
        cmocka_unit_test(exceptions_thrown_through),
        cmocka_unit_test(longjmp_out_of_deep_frames),
        cmocka_unit_test(assembler_with_a_frame_pointer),
        cmocka_unit_test(assembler_without_anything),
        cmocka_unit_test(a_rule_beyond_the_classes_truncates),
        cmocka_unit_test(code_of_a_jit_compiler),
        cmocka_unit_test(garbage_never_faults),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
