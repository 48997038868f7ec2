// Leaks, works in three threads, and exits after so many milliseconds: around the first second a snapshot is being
// written. Argument: milliseconds.
#include "busy.h"

#include <pthread.h>

static void *work(void *unused) {
    for (;;)
        work_ms(100);
    return unused;
}

int main(int argc, char **argv) {
    pthread_t thread;
    leak_a_thousand();
    for (int i = 0; i < 20000; i++)
        sink = malloc(16);
    for (int i = 0; i < 2; i++)
        if (pthread_create(&thread, NULL, work, NULL) != 0)
            die("pthread_create");
    work_ms(argc > 1 ? atol(argv[1]) : 1000);
    return 0;
}
