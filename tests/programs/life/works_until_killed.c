// Leaks, says so, and works until a signal ends it, or for two minutes: nothing is left behind by a test that failed.
// Arguments: number of threads (1), seconds (120).
#include "busy.h"

#include <pthread.h>

static long end;

static void *work(void *unused) {
    while (now_ms() < end)
        work_ms(50);
    return unused;
}

int main(int argc, char **argv) {
    const int threads = argc > 1 ? atoi(argv[1]) : 1;
    end = now_ms() + (argc > 2 ? atol(argv[2]) : 120) * 1000;
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
