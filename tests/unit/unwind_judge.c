#include "unwind_judge.h"

#include "base/attrs.h"
#include "os/arena.h"
#include "support/noted_stacks.h"

#define UNW_LOCAL_ONLY
#include <dlfcn.h>
#include <libunwind.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct thread {
    struct thread *next; /* on the list of spare ones */
    struct lt_unwind_state *state;
    struct judgement last;
    void *frames[JUDGE_FRAMES];
    struct noted_stacks *noted;
};

static __thread struct thread *self;
__thread volatile sig_atomic_t judge_captures;
__thread void (*judge_before_capture)(void);
static struct thread *spare;
static pthread_mutex_t spare_lock = PTHREAD_MUTEX_INITIALIZER;
static atomic_uint equal, cut, different;

void judge_start(uint32_t depth, const char *unwinder) {
    struct lt_unwind_options options = {.depth = depth, .unwinder = unwinder, .libunwind_backtrace = unw_backtrace};
    if (lt_arena_init() != 0 || lt_unwind_init(&options) != 0)
        abort();
    self = NULL;                                                  /* a second start, in a child */
    unw_set_caching_policy(unw_local_addr_space, UNW_CACHE_NONE); /* else it misses modules that come and go */
}

static struct thread *thread(void) {
    if (self)
        return self;
    pthread_mutex_lock(&spare_lock);
    self = spare;
    if (self)
        spare = self->next;
    pthread_mutex_unlock(&spare_lock);
    if (!self) {
        self = calloc(1, sizeof *self);
        self->state = lt_unwind_state_new();
        self->noted = noted_stacks_new();
    }
    if (!self->state)
        abort();
    lt_unwind_state_reset(self->state);
    noted_stacks_forget(self->noted);
    return self;
}

void judge_thread_ends(void) {
    pthread_mutex_lock(&spare_lock);
    self->next = spare;
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
    fprintf(stderr, "stacks differ at frame %u (flags %#x)%s:\n", (int)j->differs_at < 0 ? 0 : j->differs_at,
            j->stack.flags, j->noted_wrongly ? ", or their notes are wrong" : "");
    for (uint32_t i = 0; i < j->stack.depth && i < j->differs_at + 4; i++)
        print_frame("ours ", i, j->stack.frames[j->stack.depth - 1 - i]);
    for (uint32_t i = 0; i < j->judge_depth && i < j->differs_at + 4; i++)
        print_frame("judge", i, (uintptr_t)judged[i]);
}

static bool is_cut(const struct judgement *j) {
    return (j->stack.flags & LT_STACK_TRUNCATED) && j->stack.depth < j->judge_depth;
}

static uint32_t compare(const struct judgement *j, void *const *judged) {
    uint32_t depth = j->stack.depth < j->judge_depth ? j->stack.depth : j->judge_depth;
    for (uint32_t i = 0; i < depth; i++)
        if (j->stack.frames[j->stack.depth - 1 - i] != (uintptr_t)judged[i])
            return i;
    return j->stack.depth == j->judge_depth || is_cut(j) ? UINT32_MAX : depth;
}

/* Not unw_backtrace: its own cache takes no note of modules that go. */
static LT_NOINLINE int judged_frames(void **frames, int room) {
    unw_context_t context;
    unw_cursor_t cursor;
    unw_word_t ip;
    int count = 0;
    unw_getcontext(&context);
    unw_init_local(&cursor, &context);
    do {
        unw_get_reg(&cursor, UNW_REG_IP, &ip);
        frames[count++] = (void *)ip;
    } while (count < room && unw_step(&cursor) > 0);
    return count;
}

LT_NOINLINE void judge(void) {
    struct thread *t = thread();
    struct judgement *j = &t->last;
    uintptr_t *frame = __builtin_frame_address(0); /* {caller's rbp, return address} */
    struct lt_regs from = {.ip = frame[1], .sp = (uintptr_t)(frame + 2), .fp = frame[0]};
    int count = judged_frames(t->frames, JUDGE_FRAMES), first = 0;
    void (*before)(void) = judge_before_capture;
    judge_before_capture = NULL;
    judge_captures = 1;
    if (before)
        before();
    lt_unwind_capture(t->state, &from, &j->stack);
    judge_captures = 0;
    while (first < count && (uintptr_t)t->frames[first] != from.ip)
        first++;
    while (count > first && !t->frames[count - 1])
        count--;
    j->judge_depth = (uint32_t)(count - first);
    uint32_t reused;
    j->noted_wrongly = !noted_stacks_complete(t->noted, &j->stack, &reused);
    j->differs_at = compare(j, t->frames + first);
    bool differs = j->differs_at != UINT32_MAX || j->noted_wrongly;
    atomic_fetch_add(differs ? &different : is_cut(j) ? &cut : &equal, 1);
    if (differs)
        print_difference(j, t->frames + first);
}

const struct judgement *judge_last(void) {
    return &thread()->last;
}

struct judge_counts judge_take_counts(void) {
    return (struct judge_counts){atomic_exchange(&equal, 0), atomic_exchange(&cut, 0), atomic_exchange(&different, 0)};
}
