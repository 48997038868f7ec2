// Leaks, says so, and works until a signal ends it. Arguments: number of threads (1), seconds (for ever).
#include "busy.h"

#include <pthread.h>

static long end;

static void *work(void *unused) {
    while (!end || now_ms() < end)
        work_ms(50);
    return unused;
}

int main(int argc, char **argv) {
    const int threads = argc > 1 ? atoi(argv[1]) : 1;
    end = argc > 2 ? now_ms() + atol(argv[2]) * 1000 : 0;
    leak_a_thousand();
    puts("leaked");
    fflush(stdout);
    for (int i = 1; i < threads; i++) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, work, NULL) != 0)
            die("pthread_create");
    }
    work(NULL);
    return 0;
}
