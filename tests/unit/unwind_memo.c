/* What a remembered stack must not do: stand in for another one. First the cases that are known to fool comparing
 * return addresses alone, then random walks through functions of every kind, each captured stack compared with
 * libunwind's. */
#include "unwind_judge.h"

#include "base/attrs.h"
#include "unit.h"
#include "unit_child.h"

#include <alloca.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <ucontext.h>

#define KEEP_FRAME() __asm__ volatile("" ::: "memory")

void frame_rbp_is_scratch(void (*callback)(void));
void frame_with_rbp(void (*callback)(void), uintptr_t rbp);
void frame_with_saved_cfa(void (*callback)(void));

static void assert_all_equal(uint32_t at_least) {
    struct judge_counts counts = judge_take_counts();
    assert_int_equal(counts.different, 0);
    assert_int_equal(counts.cut, 0);
    assert_true(counts.equal >= at_least);
}

/* ---- the counterexample: one call site, h -> g(small) -> f or g(large) -> f ----
 *
 * Where g's alloca takes just the room of h's frame, f's return address is the same word at the same place, h's old
 * return address still lies in g's alloca, and every older one is equal. Only rbp tells. */

static uintptr_t place; /* of f's frame, the last time */
static void (*middle)(void);

static LT_NOINLINE void f(void) {
    place = (uintptr_t)__builtin_frame_address(0);
    judge();
    KEEP_FRAME();
}

static LT_NOINLINE void f_below(void) {
    middle(); /* f, or something between g and f */
    KEEP_FRAME();
}

static LT_NOINLINE void g(size_t room) {
    char *volatile memory = alloca(room);
    (void)memory; /* not written: the words of the stack before stay there */
    f_below();
    KEEP_FRAME();
}

static LT_NOINLINE void h(size_t room) {
    g(room);
    KEEP_FRAME();
}

typedef double wide __attribute__((vector_size(32), aligned(64)));

static LT_NOINLINE void h_realigned(size_t room) {
    volatile wide local = {1};
    g(room);
    KEEP_FRAME();
    (void)local;
}

static LT_NOINLINE void dispatch(void (*callee)(size_t), size_t room) {
    callee(room);
    KEEP_FRAME();
}

/* Both ways to f, for all sizes; how often f's frame was at the same place. */
static unsigned both_ways(void (*longer)(size_t)) {
    unsigned meetings = 0;
    for (size_t room = 0; room < 1024; room += 8) {
        dispatch(longer, 0);
        uintptr_t there = place;
        dispatch(g, room);
        meetings += place == there;
    }
    return meetings;
}

static void call_f(void) {
    f();
    KEEP_FRAME();
}

static void scratch_then_f(void) {
    frame_rbp_is_scratch(call_f);
    KEEP_FRAME();
}

static void saved_cfa_then_f(void) {
    frame_with_saved_cfa(call_f);
    KEEP_FRAME();
}

static void alloca_as_large_as_the_missing_frame(void **state) {
    (void)state;
    middle = f;
    assert_true(both_ways(h) > 0);
    assert_all_equal(100);
}

static void a_missing_frame_that_was_realigned(void **state) {
    (void)state;
    middle = f;
    unsigned meetings = both_ways(h_realigned);
    assert_true(meetings > 0 || LT_SANITIZED); /* the sanitizer's frames are too far apart */
    assert_all_equal(100);
}

/* rbp is the same where the stacks meet; what differs is the word it will be restored from. */
static void rbp_as_scratch_between(void **state) {
    (void)state;
    middle = scratch_then_f;
    assert_true(both_ways(h) > 0);
    middle = saved_cfa_then_f;
    assert_true(both_ways(h) > 0);
    assert_all_equal(200);
}

/* ---- a tail whose rbp was dead where it was unwound first, and is not where it is met again ----
 *
 * First under a frame that has any value in rbp (that of g's frame to come), then under h -> g, then under g with room
 * for h: if what was unwound first kept its rbp, the third stack would be taken for the second. */

static void (**next_leaf)(void); /* a list that NULL ends */
static uintptr_t frame_of_g, rbp_to_leave;

static LT_NOINLINE void other_bare_leaf(void) {
    judge();
    KEEP_FRAME();
}

static LT_NOINLINE void bare_leaf(void) {
    volatile char here = 0;
    place = (uintptr_t)&here;
    judge();
    KEEP_FRAME();
}

static LT_NOINLINE void twin_leaf(void) { /* leaves no tail that begins as the other's */
    volatile char here = 1;
    place = (uintptr_t)&here;
    judge();
    KEEP_FRAME();
}

static LT_NOINLINE void each_leaf(void) { /* has no need of rbp */
    do
        (*next_leaf)();
    while (*++next_leaf);
    KEEP_FRAME();
}

static LT_NOINLINE void g_of_leaves(size_t room) {
    __asm__ volatile("" ::"r"(alloca(room))); /* nothing is written there: not to h's return address either */
    frame_of_g = (uintptr_t)__builtin_frame_address(0);
    each_leaf();
    KEEP_FRAME();
}

static LT_NOINLINE void h_of_leaves(size_t room) {
    g_of_leaves(room);
    KEEP_FRAME();
}

static LT_NOINLINE void rbp_of_leaves(size_t room) {
    char *volatile memory = alloca(room);
    (void)memory;
    frame_with_rbp(each_leaf, rbp_to_leave);
    KEEP_FRAME();
}

enum first_leaf { TWIN, BOTH = 2, LAST };

static LT_NOINLINE void run_leaves(void (*callee)(size_t), size_t room, enum first_leaf from) {
    static void (*leaves[])(void) = {[TWIN] = twin_leaf, NULL, [BOTH] = other_bare_leaf, [LAST] = bare_leaf, NULL};
    next_leaf = leaves + from;
    dispatch(callee, room);
}

/* The room with which the last leaf is at `there`; SIZE_MAX: none. Inlined, so that it is at the caller's depth. */
static LT_ALWAYS_INLINE size_t room_for(void (*callee)(size_t), uintptr_t there) {
    for (size_t room = 0; room < 1024; room += 8) {
        run_leaves(callee, room, TWIN);
        if (place == there)
            return room;
    }
    return SIZE_MAX;
}

static void rbp_that_was_dead(void **state) {
    (void)state;
    run_leaves(h_of_leaves, 64, TWIN);
    const uintptr_t there = place;
    const size_t in_g = room_for(g_of_leaves, there);
    rbp_to_leave = frame_of_g;
    const size_t in_rbp = room_for(rbp_of_leaves, there);
    assert_true((in_g != SIZE_MAX && in_rbp != SIZE_MAX) || LT_SANITIZED);
    run_leaves(rbp_of_leaves, in_rbp, BOTH);
    run_leaves(h_of_leaves, 64, BOTH);
    run_leaves(g_of_leaves, in_g, LAST);
    assert_all_equal(5);
}

/* ---- random walks ---- */

static uint64_t seed = 88172645463325252;

static uint64_t random_word(void) {
    seed ^= seed << 13;
    seed ^= seed >> 7;
    return seed ^= seed << 17;
}

static int levels; /* still to go down */

static void go(void);

static LT_NOINLINE void plain(void) {
    go();
    KEEP_FRAME();
}

static LT_NOINLINE void with_frame_pointer(void) {
    __asm__ volatile("" ::"r"(__builtin_frame_address(0)));
    go();
    KEEP_FRAME();
}

static LT_NOINLINE void with_many_registers(void) {
    uint64_t a = random_word(), b = random_word(), c = random_word(), d = random_word(), e = random_word();
    uint64_t i = random_word(); /* six that live across a call: rbp is one of them */
    go();
    seed ^= (a ^ b ^ c ^ d ^ e ^ i) & 1;
    go();
    seed += (a + b + c + d + e + i) & 1;
    KEEP_FRAME();
}

static LT_NOINLINE void with_alloca(void) {
    char *volatile memory = alloca(random_word() % 8 * 16);
    (void)memory;
    go();
    KEEP_FRAME();
}

static LT_NOINLINE void realigned(void) {
    volatile wide local = {1};
    go();
    KEEP_FRAME();
    (void)local;
}

static LT_NOINLINE void realigned_with_alloca(void) {
    volatile wide local = {1};
    char *volatile memory = alloca(random_word() % 4 * 16);
    (void)memory;
    go();
    KEEP_FRAME();
    (void)local;
}

static LT_NOINLINE void large(void) {
    char memory[5000];
    __asm__ volatile("" ::"r"(memory) : "memory");
    go();
    KEEP_FRAME();
}

static LT_NOINLINE void huge(void) {
    char memory[40000]; /* beyond what a packed rule holds */
    __asm__ volatile("" ::"r"(memory) : "memory");
    go();
    KEEP_FRAME();
}

static LT_NOINLINE void scratch(void) {
    frame_rbp_is_scratch(go);
    KEEP_FRAME();
}

static LT_NOINLINE void saved_cfa(void) {
    frame_with_saved_cfa(go);
    KEEP_FRAME();
}

static uint32_t limit = LT_DEPTH_DEFAULT;

/* All these stacks can be unwound: one that is truncated has as many frames as it may. */
static void check_depth(void) {
    const struct lt_stack *stack = &judge_last()->stack;
    if (stack->depth > limit || ((stack->flags & LT_STACK_TRUNCATED) && stack->depth != limit))
        abort();
}

static LT_NOINLINE void captures(void) {
    judge();
    check_depth();
}

static LT_NOINLINE void captures_twice(void) {
    judge();
    check_depth();
    if (levels & 1)
        judge();
    check_depth();
}

/* Not among them: code without unwind information, where libunwind's own guesses are no judge. */
static void (*const kinds[])(void) = {
    plain,
    with_frame_pointer,
    with_many_registers,
    with_alloca,
    realigned,
    realigned_with_alloca,
    plain,
    large,
    plain,
    with_frame_pointer,
    with_many_registers,
    with_alloca,
    scratch,
    saved_cfa,
    plain,
    huge,
};

/* One step down, or a capture; often both. */
static LT_NOINLINE void go(void) {
    if (random_word() % 3 == 0)
        captures();
    if (levels > 0) {
        levels--;
        kinds[random_word() % LT_ARRAY_SIZE(kinds)]();
        levels++;
    } else {
        captures_twice();
    }
    KEEP_FRAME();
}

static void walk(unsigned walks, int depth) {
    for (unsigned i = 0; i < walks; i++) {
        levels = (int)(random_word() % (unsigned)depth);
        kinds[i % 2]();
    }
}

static void random_walks(void **state) {
    (void)state;
    walk(LT_SANITIZED ? 300 : 3000, 12);
    assert_all_equal(1000);
}

/* The same with fewer frames kept than there are. */
static void cut_in_a_child(void) {
    limit = 20;
    judge_start(limit, "native");
    walk(LT_SANITIZED ? 300 : 3000, 12);
    struct judge_counts counts = judge_take_counts();
    fprintf(stderr, "%u whole, %u cut\n", counts.equal, counts.cut);
    CHILD_CHECK(counts.different == 0 && counts.cut > 100 && counts.equal > 100);
}

static void random_walks_at_the_depth_limit(void **state) {
    (void)state;
    assert_child_passes(cut_in_a_child);
}

/* ---- captures that do not come to their end: a signal handler jumps out, after any instruction ---- */

enum { TRAP_FLAG = 0x100, STRIDE = 24 /* single steps are slow in virtual machines */ };

static sigjmp_buf escape;
static volatile unsigned instructions, escape_after;

static void count_instruction(int number, siginfo_t *info, void *context) {
    (void)number;
    (void)info;
    if (!judge_captures) {
        ((ucontext_t *)context)->uc_mcontext.gregs[REG_EFL] &= ~TRAP_FLAG;
    } else if (++instructions == escape_after) {
        judge_captures = 0;
        siglongjmp(escape, 1);
    }
}

static void trap_every_instruction(void) {
    __asm__ volatile("sub $128, %%rsp; pushf; orl %0, (%%rsp); popf; add $128, %%rsp" ::"i"(TRAP_FLAG)
                     : "memory", "cc");
}

static void four_stacks(void) {
    levels = 0;
    with_alloca();
    plain();
    realigned();
    dispatch(h, 0);
}

/* Whether the first capture of `start` came to its end before so many instructions; 0 is as many as it needs. */
static bool jump_out_after(unsigned count, void (*start)(void)) {
    instructions = 0;
    escape_after = count;
    if (sigsetjmp(escape, 1) == 0) {
        judge_before_capture = count ? trap_every_instruction : NULL;
        start();
        return true;
    }
    return false;
}

static void one_more_frame(void) {
    f();
    KEEP_FRAME();
}

/* Jumps out of captures of the stack that `start` makes, later and later, until one comes to its end. */
static unsigned jump_out_of(void (*start)(void)) {
    unsigned escapes = 0, count = 0; /* the first time undisturbed, so that all rules are known */
    while (!jump_out_after(count, start) || count == 0) {
        escapes += count > 0;
        count += 1 + (unsigned)random_word() % STRIDE;
        four_stacks();
    }
    return escapes;
}

/* In a thread, whose stack is short. */
static void *jump_out_of_all(void *unused) {
    (void)unused;
    unsigned escapes = jump_out_of(one_more_frame);
    escapes += jump_out_of(four_stacks);
    judge_thread_ends();
    return (void *)(uintptr_t)escapes;
}

static void signal_handlers_jump_out(void **state) {
    (void)state;
    struct sigaction action = {.sa_sigaction = count_instruction, .sa_flags = SA_SIGINFO}, old;
    pthread_t thread;
    void *escapes;
    lt_skip_when(LT_SANITIZED, "the sanitizer makes too many instructions of a capture to step through them");
    middle = f;
    sigaction(SIGTRAP, &action, &old);
    assert_int_equal(pthread_create(&thread, NULL, jump_out_of_all, NULL), 0);
    pthread_join(thread, &escapes);
    sigaction(SIGTRAP, &old, NULL);
    print_message("jumped out of %u captures\n", (unsigned)(uintptr_t)escapes);
    assert_true((uintptr_t)escapes > 20);
    assert_all_equal(100);
}

int main(void) {
    if (getenv("SEED"))
        seed = strtoull(getenv("SEED"), NULL, 0);
    judge_start(LT_DEPTH_DEFAULT, "native");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(alloca_as_large_as_the_missing_frame),
        cmocka_unit_test(a_missing_frame_that_was_realigned),
        cmocka_unit_test(rbp_as_scratch_between),
        cmocka_unit_test(rbp_that_was_dead),
        cmocka_unit_test(random_walks),
        cmocka_unit_test(random_walks_at_the_depth_limit),
        cmocka_unit_test(signal_handlers_jump_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
