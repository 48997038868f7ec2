// Four coroutines on stacks of their own take turns; each leaks.
#include <stdlib.h>
#include <ucontext.h>

enum { COROUTINES = 4, TURNS = 250, STACK = 64 * 1024 };

static ucontext_t home, contexts[COROUTINES];
static void *volatile sink;

__attribute__((noinline)) static void leak(void) {
    sink = malloc(16); // LEAK count=1000 bytes=16000
}

static void body(int me) {
    for (int i = 0; i < TURNS; i++) {
        leak();
        free(malloc(40));
        swapcontext(&contexts[me], &home);
    }
}

int main(void) {
    void *stacks[COROUTINES];
    for (int i = 0; i < COROUTINES; i++) {
        getcontext(&contexts[i]);
        contexts[i].uc_stack.ss_sp = stacks[i] = malloc(STACK);
        contexts[i].uc_stack.ss_size = STACK;
        contexts[i].uc_link = &home;
        makecontext(&contexts[i], (void (*)(void))body, 1, i);
    }
    for (int turn = 0; turn <= TURNS; turn++)
        for (int i = 0; i < COROUTINES; i++)
            swapcontext(&home, &contexts[i]);
    for (int i = 0; i < COROUTINES; i++)
        free(stacks[i]);
    return 0;
}
