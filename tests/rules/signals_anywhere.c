/* A signal at a random instant, ten thousand times, while the program allocates as fast as it can. Its handler
 *     nested     allocates and frees itself,
 *     altstack   does so on an alternate stack,
 *     longjmp    leaves whatever it interrupted, the shim included, for good.
 * Afterwards the shim must still record: it neither crashed, nor hangs, nor thinks that it is still inside. Preloaded
 * behind the shim: bump_heap. Usage: signals_anywhere nested|altstack|longjmp */
#include "leaktrack.h"

#include <regex.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { SIGNALS = 10000, WITHIN_NS = 30000 };

static const char *mode;
static sigjmp_buf away;
static volatile sig_atomic_t signals, may_leave;

static void handler(int signal) {
    (void)signal;
    signals++;
    void *block = malloc(100);
    block = realloc(block, 200);
    free(block);
    if (may_leave)
        siglongjmp(away, 1);
}

static __attribute__((noinline)) void allocate(unsigned depth) {
    if (depth) {
        allocate(depth - 1);
        __asm__ volatile("");
        return;
    }
    void *block = malloc(20);
    block = realloc(block, 40);
    free(block);
}

/* Many call sites, most of them seen for the first time. */
static void compile_expression(unsigned i) {
    static const char *const expressions[] = {"a*b", "(a|b)+c?", "[[:alpha:]]{2,5}x", "^(([a-c])*d)|e$", "\\(x\\)\\1"};
    regex_t expression;
    if (regcomp(&expression, expressions[i % 5], i & 1 ? REG_EXTENDED : 0) == 0)
        regfree(&expression);
}

static void let_handler_run(timer_t timer, unsigned i) {
    const struct itimerspec once = {.it_value = {0, 1 + i * 7919 % WITHIN_NS}};
    timer_settime(timer, 0, &once, NULL);
}

static void work(timer_t timer) {
    static volatile unsigned i;
    const bool leave = strcmp(mode, "longjmp") == 0;
    while (signals < SIGNALS) {
        int seen = signals;
        if (sigsetjmp(away, 1))
            continue;
        may_leave = leave;
        let_handler_run(timer, i);
        for (; signals == seen; i++) {
            allocate(i % 30);
            if (i % 50 == 0)
                compile_expression(i);
        }
        may_leave = 0;
    }
}

static timer_t make_timer(void) {
    static char stack[64 * 1024];
    const stack_t alternate = {.ss_sp = stack, .ss_size = sizeof stack};
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGALRM};
    timer_t timer;
    if (strcmp(mode, "altstack") == 0 && sigaltstack(&alternate, NULL) == 0)
        action.sa_flags |= SA_ONSTACK;
    sigaction(SIGALRM, &action, NULL);
    if (timer_create(CLOCK_MONOTONIC, &event, &timer) != 0)
        exit(77);
    return timer;
}

/* Three blocks come and go. */
static bool still_records(void) {
    int64_t before = leaktrack_live_count(LEAKTRACK_HEAP);
    void *blocks[3] = {malloc(1), calloc(1, 2), realloc(NULL, 3)};
    int64_t with = leaktrack_live_count(LEAKTRACK_HEAP);
    for (int i = 0; i < 3; i++)
        free(blocks[i]);
    return with == before + 3 && leaktrack_live_count(LEAKTRACK_HEAP) == before;
}

int main(int argc, char **argv) {
    mode = argc > 1 ? argv[1] : "nested";
    if (!leaktrack_live_count) {
        printf("the shim is not preloaded\n");
        return 1;
    }
    timer_t timer = make_timer();
    work(timer);
    timer_delete(timer);
    if (!still_records()) {
        printf("the shim has stopped recording\n");
        return 1;
    }
    printf("ok\n");
    return 0;
}
