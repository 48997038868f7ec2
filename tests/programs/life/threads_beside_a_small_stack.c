/* A coroutine with four kilobytes of stack acquires and releases in a process of two threads, until snapshots are due.
 */
#include "busy.h"

#include <pthread.h>
#include <sys/mman.h>
#include <ucontext.h>

enum { PAGE = 4096, STACK = PAGE };

static ucontext_t home, coroutine;
static volatile int done;

/* Nothing that is first bound here: the loader needs a stack, too. */
static void body(void) {
    for (;;) {
        for (int i = 0; i < 50; i++)
            free(malloc(100));
        swapcontext(&coroutine, &home);
    }
}

static void *wait_for_the_end(void *unused) {
    while (!done) /* without an event: the snapshots are the coroutine's */
        usleep(10000);
    return unused;
}

static void run_coroutine_ms(long ms) {
    const struct timespec nap = {.tv_nsec = 1000000};
    for (const long end = now_ms() + ms; now_ms() < end; nanosleep(&nap, NULL))
        swapcontext(&home, &coroutine);
}

int main(void) {
    pthread_t thread;
    char *pages = mmap(NULL, PAGE + STACK, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED || mprotect(pages + PAGE, STACK, PROT_READ | PROT_WRITE) != 0)
        die("mmap");
    leak_a_thousand();
    getcontext(&coroutine);
    coroutine.uc_stack.ss_sp = pages + PAGE;
    coroutine.uc_stack.ss_size = STACK;
    makecontext(&coroutine, body, 0);
    if (pthread_create(&thread, NULL, wait_for_the_end, NULL) != 0)
        die("pthread_create");
    run_coroutine_ms(2500);
    done = 1;
    pthread_join(thread, NULL);
    return 0;
}
