/* What a capture costs, without anything around it: nanoseconds per call stack at depths 10, 30 and 100, from a loop
 * whose innermost two frames differ from call to call.
 *
 *     capture [UNWINDER] [CAPTURES]
 *
 * And what the first sight of a return address costs: its rule compiled, over libc's code. */
#include "base/hash.h"
#include "os/arena.h"
#include "unwind/rule_compile.h"
#include "unwind/unwind.h"

#include "base/attrs.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define KEEP_FRAME() __asm__ volatile("" ::: "memory")

static struct lt_unwind_state *state;
static uint64_t frames, known;

static double now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* A hash, for these few stacks. */
static void note(const struct lt_stack *stack) {
    uint64_t hash = 0;
    known += *stack->noted;
    for (uint32_t i = 0; i < stack->depth; i++)
        stack->notes[i] = hash = lt_hash_add(hash, stack->frames[i]) | 1;
    *stack->noted = stack->depth;
    *stack->note_kept = hash;
}

static LT_NOINLINE void capture(void) {
    const uintptr_t *frame = __builtin_frame_address(0);
    struct lt_regs from = {.ip = frame[1], .sp = (uintptr_t)(frame + 2), .fp = frame[0]};
    struct lt_stack stack;
    lt_unwind_capture(state, &from, &stack);
    frames += stack.depth;
    if (stack.note)
        known += stack.depth;
    else
        note(&stack);
}

static LT_NOINLINE void leaf(uint64_t x) {
    if (x & 1) // NOLINT(bugprone-branch-clone): two call sites, two return addresses
        capture();
    else
        capture();
    KEEP_FRAME();
}

static LT_NOINLINE void other_leaf(uint64_t x) {
    leaf(x >> 1);
    KEEP_FRAME();
}

static LT_NOINLINE void repeat(uint64_t captures) {
    uint64_t x = 88172645463325252;
    for (uint64_t i = 0; i < captures; i++) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        if (x & 4)
            leaf(x);
        else
            other_leaf(x);
    }
}

static LT_NOINLINE void down(int depth, uint64_t captures) {
    if (depth > 0)
        down(depth - 1, captures);
    else
        repeat(captures);
    KEEP_FRAME();
}

static double measure(int depth, uint64_t captures) {
    enum { ROUNDS = 20 };
    double best = 0;
    for (int round = 0; round < ROUNDS; round++) {
        double start = now_ns();
        down(depth, captures / ROUNDS);
        double time = now_ns() - start;
        best = round == 0 || time < best ? time : best;
    }
    return best * ROUNDS / (double)captures;
}

/* Addresses a call's distance apart, from one function of libc to another. */
static double measure_rules(void) {
    enum { RULES = 20000, DISTANCE = 29 };
    static struct lt_scratch scratch;
    const uintptr_t first = (uintptr_t)&qsort;
    double start = now_ns();
    for (uintptr_t i = 0; i < RULES; i++)
        lt_rule_compile(first + i * DISTANCE, false, &scratch);
    return (now_ns() - start) / RULES;
}

int main(int argc, char **argv) {
    struct lt_unwind_options options = {.depth = LT_DEPTH_DEFAULT, .unwinder = argc > 1 ? argv[1] : "native"};
    uint64_t captures = argc > 2 ? strtoull(argv[2], NULL, 0) : 2000000;
    if (lt_arena_init() != 0 || lt_unwind_init(&options) != 0 || !(state = lt_unwind_state_new()))
        return 1;
    for (const int *depth = (const int[]){10, 30, 100, 0}; *depth; depth++) {
        frames = known = 0;
        double each = measure(*depth - 8, captures);
        printf("%6.1f frames, %6.1f known: %7.1f ns\n", (double)frames / (double)captures,
               (double)known / (double)captures, each);
    }
    printf("a rule: %7.1f ns\n", measure_rules());
    return 0;
}
