/* A preload library that captures the stack of every allocation with the unwinder and compares every k-th with
 * libunwind, frame by frame, in whatever program it is loaded into. It tracks nothing.
 *
 * STACK_ORACLE names the file that takes the result: one struct result, mapped, so that it survives every kind of exit,
 * and behind it a line of text for each of the first differences. STACK_ORACLE_EVERY is k. Children add to the same
 * file.
 *
 * libunwind takes the loader's lock, which a thread inside dlopen() holds while it waits for what we hold: stacks with
 * a frame of the loader are captured but not compared. */
#include "oracle.h"

#include "base/attrs.h"
#include "os/arena.h"
#include "support/noted_stacks.h"
#include "unwind/modules.h"
#include "unwind/unwind.h"

#define UNW_LOCAL_ONLY
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <libunwind.h>
#include <malloc.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { DEPTH = 1024, REPORTED = 100, THREADS = 4096 };

struct thread {
    struct lt_unwind_state *state;
    void *judged[DEPTH + 64];
    struct noted_stacks *noted;
};

static LT_TLS struct thread *self;
static LT_TLS bool inside;
static struct oracle_result *result;
static int result_fd = -1;
static uint64_t every = 1;
static bool ready;

static struct {
    void *(*malloc)(size_t);
    void *(*calloc)(size_t, size_t);
    void *(*realloc)(void *, size_t);
    void *(*memalign)(size_t, size_t);
    void *(*aligned_alloc)(size_t, size_t);
    int (*posix_memalign)(void **, size_t, size_t);
    int (*dlclose)(void *);
} real;

static void count(uint64_t *counter) {
    __atomic_fetch_add(counter, 1, __ATOMIC_RELAXED);
}

static void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void say(const char *format, ...) {
    char line[256];
    va_list values;
    va_start(values, format);
    int n = vsnprintf(line, sizeof line, format, values);
    va_end(values);
    if (n > 0 && write(result_fd, line, n < (int)sizeof line ? (size_t)n : sizeof line) < 0)
        return;
}

static void say_frame(const char *side, uint32_t i, uintptr_t ip, uint32_t epoch) {
    const struct lt_module *module = lt_module_at(ip, epoch);
    say("  %s %3u %s+%#lx\n", side, i, module ? module->path : "anonymous",
        (unsigned long)(module ? ip - module->bias : ip));
}

static void say_difference(const struct lt_stack *stack, void **judged, uint32_t judge_depth, uint32_t at) {
    if (__atomic_fetch_add(&result->reported, 1, __ATOMIC_RELAXED) >= REPORTED)
        return;
    say("pid %d: stacks of %u and %u frames differ at %u, flags %u\n", getpid(), stack->depth, judge_depth, at,
        stack->flags);
    uint32_t from = at > 3 ? at - 3 : 0;
    for (uint32_t i = from; i < stack->depth && i < at + 3; i++)
        say_frame("ours ", i, stack->frames[stack->depth - 1 - i], stack->epoch);
    for (uint32_t i = from; i < judge_depth && i < at + 3; i++)
        say_frame("judge", i, (uintptr_t)judged[i], stack->epoch);
}

static uint32_t first_difference(const struct lt_stack *stack, void **judged, uint32_t judge_depth) {
    uint32_t i = 0;
    while (i < stack->depth && i < judge_depth && stack->frames[stack->depth - 1 - i] == (uintptr_t)judged[i])
        i++;
    return i;
}

static void compare(struct thread *t, const struct lt_regs *from, const struct lt_stack *stack) {
    int all = unw_backtrace(t->judged, DEPTH + 64), first = 0;
    while (first < all && (uintptr_t)t->judged[first] != from->ip)
        first++;
    while (all > first && !t->judged[all - 1])
        all--;
    uint32_t judge_depth = (uint32_t)(all - first), at = first_difference(stack, t->judged + first, judge_depth);
    count(&result->compared);
    if (at == stack->depth && at == judge_depth) {
        count(&result->equal);
        return;
    }
    if (at == stack->depth && (stack->flags & LT_STACK_TRUNCATED))
        count(&result->cut_short);
    else if (at == judge_depth)
        count(&result->judge_short);
    else
        count(&result->different);
    say_difference(stack, t->judged + first, judge_depth, at);
}

/* Fills in what is told by a note only. */
static void complete(struct thread *t, struct lt_stack *stack) {
    uint32_t reused;
    const bool by_note = stack->note;
    if (!noted_stacks_complete(t->noted, stack, &reused)) {
        count(&result->noted_wrongly);
        say("pid %d: a stack of %u frames noted wrongly\n", getpid(), stack->depth);
    }
    count(by_note ? &result->by_note : reused > 0 ? &result->with_notes : &result->without_notes);
}

static struct thread *thread(void) {
    if (!self) {
        struct thread *t = mmap(NULL, sizeof *t, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        t->state = lt_unwind_state_new();
        t->noted = noted_stacks_new();
        self = t->state ? t : NULL;
    }
    return self;
}

static void start(void) {
    struct lt_unwind_options options = {.depth = DEPTH, .unwinder = "native"};
    const char *path = getenv("STACK_ORACLE"), *k = getenv("STACK_ORACLE_EVERY"),
               *unwinder = getenv("STACK_ORACLE_UNWINDER");
    if (!path)
        return;
    every = k ? strtoull(k, NULL, 10) : 1;
    if (unwinder)
        options.unwinder = unwinder;
    result_fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (result_fd < 0 || (lseek(result_fd, 0, SEEK_END) == 0 && ftruncate(result_fd, ORACLE_RESULT_ROOM) != 0))
        return;
    result = mmap(NULL, sizeof *result, PROT_READ | PROT_WRITE, MAP_SHARED, result_fd, 0);
    if (result == MAP_FAILED || lt_arena_init() != 0 || lt_unwind_init(&options) != 0)
        return;
    ready = true;
}

static void resolve(void) {
    static bool begun;
    if (begun)
        return;
    begun = inside = true;
    *(void **)&real.malloc = dlsym(RTLD_NEXT, "malloc");
    *(void **)&real.calloc = dlsym(RTLD_NEXT, "calloc");
    *(void **)&real.realloc = dlsym(RTLD_NEXT, "realloc");
    *(void **)&real.memalign = dlsym(RTLD_NEXT, "memalign");
    *(void **)&real.aligned_alloc = dlsym(RTLD_NEXT, "aligned_alloc");
    *(void **)&real.posix_memalign = dlsym(RTLD_NEXT, "posix_memalign");
    *(void **)&real.dlclose = dlsym(RTLD_NEXT, "dlclose");
    start();
    inside = false;
}

static void see(const uintptr_t *frame) {
    struct lt_regs from = {.ip = frame[1], .sp = (uintptr_t)(frame + 2), .fp = frame[0]};
    struct lt_stack stack;
    int saved = errno;
    if (inside || !ready)
        return;
    inside = true;
    struct thread *t = thread();
    if (t) {
        lt_unwind_capture(t->state, &from, &stack);
        complete(t, &stack);
        uint64_t n = __atomic_fetch_add(&result->captured, 1, __ATOMIC_RELAXED);
        if (stack.flags & LT_STACK_TRUNCATED)
            count(&result->truncated);
        if (n % every == 0 && !(stack.flags & LT_STACK_LOADER))
            compare(t, &from, &stack);
    }
    inside = false;
    errno = saved;
}

#define SEE() see(__builtin_frame_address(0))

LT_EXPORT void *malloc(size_t size) {
    resolve();
    void *p = real.malloc(size);
    SEE();
    return p;
}

LT_EXPORT void *calloc(size_t n, size_t size) {
    resolve();
    void *p = real.calloc(n, size);
    SEE();
    return p;
}

LT_EXPORT void *realloc(void *old, size_t size) {
    resolve();
    void *p = real.realloc(old, size);
    SEE();
    return p;
}

LT_EXPORT void *memalign(size_t align, size_t size) {
    resolve();
    void *p = real.memalign(align, size);
    SEE();
    return p;
}

LT_EXPORT void *aligned_alloc(size_t align, size_t size) {
    resolve();
    void *p = real.aligned_alloc(align, size);
    SEE();
    return p;
}

LT_EXPORT int posix_memalign(void **p, size_t align, size_t size) {
    resolve();
    int status = real.posix_memalign(p, align, size);
    SEE();
    return status;
}

LT_EXPORT int dlclose(void *handle) {
    resolve();
    int status = real.dlclose(handle);
    if (ready)
        lt_unwind_modules_changed();
    return status;
}
