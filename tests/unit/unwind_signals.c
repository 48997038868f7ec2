/* Stacks through signal handlers. A handler that runs after every single instruction sees each row of the unwind
 * tables: prologues, epilogues, PLT stubs, the loader binding a symbol, the vDSO. */
#include "unwind_judge.h"

#include "base/attrs.h"
#include "unit.h"

#include <alloca.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>
#include <wchar.h>

#define KEEP_FRAME() __asm__ volatile("" ::: "memory")

enum { TRAP_FLAG = 0x100 };

void frame_rbp_is_scratch(void (*callback)(void));
void frame_with_saved_cfa(void (*callback)(void));

static void on_alternate_stack(int number, void (*handler)(int, siginfo_t *, void *)) {
    static char stack[1 << 20];
    stack_t alternate = {.ss_sp = stack, .ss_size = sizeof stack};
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    sigaltstack(&alternate, NULL);
    sigaction(number, &action, NULL);
}

/* ---- one signal ---- */

static void judge_in_handler(int number, siginfo_t *info, void *context) {
    (void)number;
    (void)info;
    (void)context;
    judge();
}

static void a_handler_on_its_own_stack(void **state) {
    (void)state;
    on_alternate_stack(SIGUSR1, judge_in_handler);
    raise(SIGUSR1);
    assert_int_equal(judge_last()->stack.flags, LT_STACK_SIGNAL);
    struct judge_counts counts = judge_take_counts();
    assert_int_equal(counts.equal, 1);
}

static void a_handler_on_the_same_stack(void **state) {
    (void)state;
    struct sigaction action = {.sa_sigaction = judge_in_handler, .sa_flags = SA_SIGINFO};
    sigaction(SIGUSR1, &action, NULL);
    raise(SIGUSR1);
    assert_int_equal(judge_last()->stack.flags, LT_STACK_SIGNAL);
    struct judge_counts counts = judge_take_counts();
    assert_int_equal(counts.equal, 1);
}

static void raise_in_handler(int number, siginfo_t *info, void *context) {
    (void)number;
    (void)info;
    (void)context;
    raise(SIGUSR1);
}

static void handlers_inside_handlers(void **state) {
    (void)state;
    struct sigaction action = {.sa_sigaction = judge_in_handler, .sa_flags = SA_SIGINFO | SA_NODEFER};
    sigaction(SIGUSR1, &action, NULL);
    on_alternate_stack(SIGUSR2, raise_in_handler);
    raise(SIGUSR2);
    struct judge_counts counts = judge_take_counts();
    assert_int_equal(counts.equal, 1);
}

/* ---- after every instruction ---- */

static volatile sig_atomic_t stepping;

static void after_instruction(int number, siginfo_t *info, void *context) {
    (void)number;
    (void)info;
    if (stepping)
        judge();
    else
        ((ucontext_t *)context)->uc_mcontext.gregs[REG_EFL] &= ~TRAP_FLAG;
}

static LT_NOINLINE struct judge_counts step_through(void (*function)(void)) {
    on_alternate_stack(SIGTRAP, after_instruction);
    judge_take_counts();
    stepping = 1;
    __asm__ volatile("sub $128, %%rsp; pushf; orl %0, (%%rsp); popf; add $128, %%rsp" ::"i"(TRAP_FLAG)
                     : "memory", "cc");
    function();
    stepping = 0;
    __asm__ volatile("nop");
    return judge_take_counts();
}

typedef double wide __attribute__((vector_size(64), aligned(64)));

static LT_NOINLINE void with_alloca(size_t size) {
    char *volatile room = alloca(size);
    room[size - 1] = 1;
    KEEP_FRAME();
}

static LT_NOINLINE void with_wide_locals(size_t size) {
    volatile wide local = {1};
    with_alloca(size);
    KEEP_FRAME();
    (void)local;
}

static void nothing(void) {
    KEEP_FRAME();
}

static void frames_of_all_kinds(void) {
    with_alloca(100);
    with_wide_locals(50);
    frame_rbp_is_scratch(nothing);
    frame_with_saved_cfa(nothing);
}

static void prologues_and_epilogues(void **state) {
    (void)state;
    frames_of_all_kinds(); /* binds symbols */
    struct judge_counts counts = step_through(frames_of_all_kinds);
    assert_int_equal(counts.different, 0);
    assert_true(counts.equal > 50);
    print_message("%u instructions, %u cut\n", counts.equal, counts.cut);
    assert_true(counts.cut < counts.equal / 4); /* a few instructions find their CFA in another register */
}

static void bind_a_symbol(void) {
    static const wchar_t text[] = L"12";
    (void)wcstol(text, NULL, 10); /* the only call of it in this program */
}

static void plt_stubs_and_the_loader(void **state) {
    (void)state;
    struct judge_counts counts = step_through(bind_a_symbol);
    assert_int_equal(counts.different, 0);
    assert_true(counts.equal > 50);
    print_message("%u instructions, %u cut\n", counts.equal, counts.cut);
}

static void read_the_clock(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
}

static void the_vdso(void **state) {
    (void)state;
    read_the_clock(); /* binds the symbol */
    struct judge_counts counts = step_through(read_the_clock);
    assert_int_equal(counts.different, 0);
    assert_true(counts.equal > 10);
    assert_int_equal(counts.cut, 0);
}

static void spawn_nothing(void) {
    pid_t pid = vfork();
    if (pid == 0)
        _exit(0);
    waitpid(pid, NULL, 0);
}

static void vfork_keeps_its_return_address_in_a_register(void **state) {
    (void)state;
    spawn_nothing();
    struct judge_counts counts = step_through(spawn_nothing);
    assert_int_equal(counts.different, 0);
    assert_true(counts.equal > 10);
    print_message("%u instructions, %u cut\n", counts.equal, counts.cut);
}

/* ---- a timer's signals, anywhere ---- */

static volatile sig_atomic_t ticks;

static void on_tick(int number, siginfo_t *info, void *context) {
    (void)number;
    (void)info;
    (void)context;
    judge();
    ticks++;
}

static void allocate_and_sort(void) {
    enum { N = 200 };
    char *texts[N];
    for (int i = 0; i < N; i++) {
        texts[i] = malloc((size_t)(i * 37 % 500 + 32));
        sprintf(texts[i], "%d", i * 7919 % 1000);
    }
    for (int i = 0; i < N; i++)
        free(texts[i]);
}

static void signals_at_any_instruction(void **state) {
    (void)state;
    lt_skip_when(LT_SANITIZED, "the sanitizer's own frames use what it hides from unwinders");
    on_alternate_stack(SIGALRM, on_tick);
    struct itimerval fast = {{0, 300}, {0, 300}}, off = {{0, 0}, {0, 0}};
    setitimer(ITIMER_REAL, &fast, NULL);
    while (ticks < 500)
        allocate_and_sort();
    setitimer(ITIMER_REAL, &off, NULL);
    struct judge_counts counts = judge_take_counts();
    assert_int_equal(counts.different, 0);
    assert_true(counts.equal >= 450);
}

int main(void) {
    judge_start(LT_DEPTH_DEFAULT, "native");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_handler_on_its_own_stack),
        cmocka_unit_test(a_handler_on_the_same_stack),
        cmocka_unit_test(handlers_inside_handlers),
        cmocka_unit_test(prologues_and_epilogues),
        cmocka_unit_test(plt_stubs_and_the_loader),
        cmocka_unit_test(the_vdso),
        cmocka_unit_test(vfork_keeps_its_return_address_in_a_register),
        cmocka_unit_test(signals_at_any_instruction),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
