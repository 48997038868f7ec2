/* Calls a Go library from its main thread and from another one; says "ready" and waits for the end of its input. */
#include <pthread.h>
#include <stdio.h>

extern void GoTake(int count);

__attribute__((noinline)) static void call_go(int count) {
    GoTake(count);
    __asm__ volatile(""); /* no tail call */
}

static void *run(void *unused) {
    call_go(30);
    return unused;
}

int main(void) {
    pthread_t thread;
    call_go(70);
    if (pthread_create(&thread, NULL, run, NULL) != 0)
        return 1;
    pthread_join(thread, NULL);
    puts("ready");
    fflush(stdout);
    return getchar() == EOF ? 0 : 1;
}
