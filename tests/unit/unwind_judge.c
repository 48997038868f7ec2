#include "unwind_judge.h"

#include "base/attrs.h"
#include "os/arena.h"

#define UNW_LOCAL_ONLY
#include <dlfcn.h>
#include <libunwind.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

struct thread {
    struct lt_unwind_state *state;
    struct judgement last;
    void *frames[JUDGE_FRAMES];
};

static __thread struct thread *self;
static struct thread *spare;
static pthread_mutex_t spare_lock = PTHREAD_MUTEX_INITIALIZER;
static atomic_uint equal, different;

void judge_start(uint32_t depth, const char *unwinder) {
    struct lt_unwind_options options = {.depth = depth, .unwinder = unwinder, .libunwind_backtrace = unw_backtrace};
    if (lt_arena_init() != 0 || lt_unwind_init(&options) != 0)
        abort();
    unw_set_caching_policy(unw_local_addr_space, UNW_CACHE_NONE); /* else it misses modules that come and go */
}

static struct thread *thread(void) {
    if (self)
        return self;
    pthread_mutex_lock(&spare_lock);
    self = spare;
    spare = NULL;
    pthread_mutex_unlock(&spare_lock);
    if (!self) {
        self = calloc(1, sizeof *self);
        self->state = lt_unwind_state_new();
    }
    if (!self->state)
        abort();
    lt_unwind_state_reset(self->state);
    return self;
}

void judge_thread_ends(void) {
    pthread_mutex_lock(&spare_lock);
    spare = self;
    pthread_mutex_unlock(&spare_lock);
    self = NULL;
}

static void print_frame(const char *label, uint32_t i, uintptr_t ip) {
    Dl_info info = {0};
    dladdr((void *)ip, &info);
    fprintf(stderr, "  %s %3u %#lx %s %s\n", label, i, (unsigned long)ip, info.dli_fname ? info.dli_fname : "?",
            info.dli_sname ? info.dli_sname : "?");
}

static void print_difference(const struct judgement *j, void *const *judged) {
    fprintf(stderr, "stacks differ at frame %u (flags %#x):\n", j->differs_at, j->stack.flags);
    for (uint32_t i = 0; i < j->stack.depth && i < j->differs_at + 4; i++)
        print_frame("ours ", i, j->stack.frames[j->stack.depth - 1 - i]);
    for (uint32_t i = 0; i < j->judge_depth && i < j->differs_at + 4; i++)
        print_frame("judge", i, (uintptr_t)judged[i]);
}

static uint32_t compare(const struct lt_stack *stack, void *const *judged, uint32_t judge_depth) {
    uint32_t depth = stack->depth < judge_depth ? stack->depth : judge_depth;
    for (uint32_t i = 0; i < depth; i++)
        if (stack->frames[stack->depth - 1 - i] != (uintptr_t)judged[i])
            return i;
    bool cut = stack->flags & LT_STACK_TRUNCATED && stack->depth < judge_depth;
    return stack->depth == judge_depth || cut ? UINT32_MAX : depth;
}

LT_NOINLINE void judge(void) {
    struct thread *t = thread();
    struct judgement *j = &t->last;
    uintptr_t *frame = __builtin_frame_address(0); /* {caller's rbp, return address} */
    struct lt_regs from = {.ip = frame[1], .sp = (uintptr_t)(frame + 2), .fp = frame[0]};
    int count = unw_backtrace(t->frames, JUDGE_FRAMES), first = 0;
    lt_unwind_capture(t->state, &from, &j->stack);
    while (first < count && (uintptr_t)t->frames[first] != from.ip)
        first++;
    while (count > first && !t->frames[count - 1])
        count--;
    j->judge_depth = (uint32_t)(count - first);
    j->differs_at = compare(&j->stack, t->frames + first, j->judge_depth);
    atomic_fetch_add(j->differs_at == UINT32_MAX ? &equal : &different, 1);
    if (j->differs_at != UINT32_MAX)
        print_difference(j, t->frames + first);
}

const struct judgement *judge_last(void) {
    return &thread()->last;
}

void judge_take_counts(uint32_t *equal_out, uint32_t *different_out) {
    *equal_out = atomic_exchange(&equal, 0);
    *different_out = atomic_exchange(&different, 0);
}
