// Leaks and ends in the way that the argument says.
#include "busy.h"

#include <pthread.h>
#include <signal.h>
#include <sys/syscall.h>

static void say(void) {
    printf("handler\n");
}

static void *exit_from_here(void *unused) {
    exit(3);
    return unused;
}

static void *work_on(void *unused) {
    for (;;)
        free(malloc(10));
    return unused;
}

static void handle(int number) {
    (void)number;
    _exit(3);
}

int main(int argc, char **argv) {
    const char *way = argc > 1 ? argv[1] : "return";
    pthread_t thread;
    leak_a_thousand();
    atexit(say);
    at_quick_exit(say);
    if (strcmp(way, "return") == 0)
        return 3;
    if (strcmp(way, "exit") == 0)
        exit(3);
    if (strcmp(way, "_exit") == 0)
        _exit(3);
    if (strcmp(way, "_Exit") == 0)
        _Exit(3);
    if (strcmp(way, "quick_exit") == 0)
        quick_exit(3);
    if (strcmp(way, "_exit-in-handler") == 0) {
        signal(SIGUSR1, handle);
        raise(SIGUSR1);
    }
    if (strcmp(way, "thread") == 0) {
        pthread_create(&thread, NULL, exit_from_here, NULL);
        pthread_join(thread, NULL);
    }
    if (strcmp(way, "busy") == 0) {
        for (int i = 0; i < 4; i++)
            pthread_create(&thread, NULL, work_on, NULL);
        work_ms(200);
        exit(3);
    }
    if (strcmp(way, "abort") == 0)
        abort();
    if (strcmp(way, "exit_group") == 0)
        syscall(SYS_exit_group, 3);
    return 98;
}
