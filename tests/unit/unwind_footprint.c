/* How much of its caller's stack a capture needs, on its fastest way and on its slowest: programs allocate on coroutine
 * and signal stacks of a few kilobytes. The stack below the capture is painted, then searched for the deepest changed
 * word. */
#include "os/arena.h"
#include "unwind/rule_cache.h"
#include "unwind/unwind.h"

#include "base/attrs.h"
#include "unit.h"

#include <alloca.h>
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

enum { MOST = 1024, PAINTED = 8192 };
static const uint64_t paint = 0x5ca1ab1e5ca1ab1e;

static struct lt_unwind_state *unwinder;
static size_t deepest;
static struct lt_stack stack;

static LT_NOINLINE void paint_below(void) {
    volatile uint64_t *words = alloca(PAINTED);
    for (unsigned i = 0; i < PAINTED / sizeof *words; i++)
        words[i] = paint;
}

/* How far below `frame` the paint was scratched. */
static LT_NOINLINE size_t scratched_below(uintptr_t frame) {
    const volatile uint64_t *words = (const uint64_t *)(frame & ~(uintptr_t)7) - PAINTED / sizeof *words + 64;
    unsigned i = 0;
    while (words[i] == paint)
        i++;
    return frame - (uintptr_t)&words[i];
}

static LT_NOINLINE void measure(void) {
    uintptr_t *frame = __builtin_frame_address(0);
    struct lt_regs from = {.ip = frame[1], .sp = (uintptr_t)(frame + 2), .fp = frame[0]};
    uintptr_t below = (uintptr_t)alloca(16);
    paint_below();
    lt_unwind_capture(unwinder, &from, &stack);
    deepest = scratched_below(below);
}

static void assert_small(const char *what) {
    print_message("%s: %zu bytes\n", what, deepest);
    assert_true(deepest > 16); /* else nothing was measured */
    assert_true(deepest < MOST);
    assert_int_equal(stack.flags & LT_STACK_TRUNCATED, 0);
}

static void a_known_stack(void **state) {
    (void)state;
    for (volatile int i = 0; i < 2; i++)
        measure();
    assert_small("all rules known");
}

static void no_rule_known(void **state) {
    (void)state;
    measure();
    lt_rule_cache_drop(0, UINTPTR_MAX);
    measure();
    assert_small("no rule known");
}

static void an_unknown_module(void **state) {
    (void)state;
    char path[4096];
    void (*call)(void (*)(void));
    snprintf(path, sizeof path, "%s/plugin_small.so", PLUGIN_FOLDER);
    void *handle = dlopen(path, RTLD_NOW), *symbol;
    assert_non_null(handle);
    symbol = dlsym(handle, "plugin_call");
    memcpy(&call, &symbol, sizeof call);
    call(measure);
    assert_small("unknown module");
    dlclose(handle);
    lt_unwind_modules_changed();
}

static ucontext_t here, there;

static void an_unknown_stack(void **state) {
    (void)state;
    enum { SIZE = 1 << 16 };
    void *memory = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    getcontext(&there);
    there.uc_stack = (stack_t){.ss_sp = memory, .ss_size = SIZE};
    there.uc_link = &here;
    makecontext(&there, measure, 0);
    lt_rule_cache_drop(0, UINTPTR_MAX);
    swapcontext(&here, &there);
    assert_small("unknown stack");
    munmap(memory, SIZE);
}

/* push %rbp; mov %rsp, %rbp; call *%rdi; pop %rbp; ret */
static const unsigned char jit_code[] = {0x55, 0x48, 0x89, 0xe5, 0xff, 0xd7, 0x5d, 0xc3};

static void unknown_code(void **state) {
    (void)state;
    void (*call)(void (*)(void));
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    memcpy(page, jit_code, sizeof jit_code);
    memcpy(&call, &page, sizeof call);
    call(measure);
    assert_small("unknown code");
    munmap(page, 4096);
}

int main(void) {
    struct lt_unwind_options options = {.depth = LT_DEPTH_DEFAULT, .unwinder = "native"};
    if (lt_arena_init() != 0 || lt_unwind_init(&options) != 0 || !(unwinder = lt_unwind_state_new()))
        return 1;
    if (LT_SANITIZED) {
        print_message("skipped: the sanitizer's frames are larger\n");
        return 0;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_known_stack),    cmocka_unit_test(no_rule_known), cmocka_unit_test(an_unknown_module),
        cmocka_unit_test(an_unknown_stack), cmocka_unit_test(unknown_code),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
