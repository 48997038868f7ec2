// The main thread leaves by pthread_exit; a worker goes on over several snapshots. When it returns the process must
// end, run the exit handlers and flush stdout. Argument: milliseconds of work.
#include "busy.h"

#include <pthread.h>

static long ms;

static void at_exit(void) {
    printf("exit handler\n");
}

static void *work(void *unused) {
    leak_a_thousand();
    work_ms(ms);
    printf("worker done\n"); // stays in stdout's buffer until exit flushes it
    return unused;
}

int main(int argc, char **argv) {
    pthread_t thread;
    ms = argc > 1 ? atol(argv[1]) : 2500;
    setvbuf(stdout, NULL, _IOFBF, 4096);
    atexit(at_exit);
    if (pthread_create(&thread, NULL, work, NULL) != 0)
        die("pthread_create");
    pthread_exit(NULL);
}
