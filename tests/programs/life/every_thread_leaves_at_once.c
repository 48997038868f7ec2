// Threads end while snapshots run, the main thread among them, hundreds of times: whichever thread is the last, stdout
// is flushed and the exit status is 0. Each round is a process of its own. Argument: rounds.
#include "busy.h"

#include <pthread.h>
#include <sys/wait.h>

static void *work(void *ms) {
    work_ms((long)ms);
    return NULL;
}

static void one_round(int round) {
    setvbuf(stdout, NULL, _IOFBF, 4096);
    printf("round %d\n", round);
    for (long i = 0; i < 3; i++) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, work, (void *)(1000 + 3 * i + round % 7)) != 0)
            die("pthread_create");
    }
    work_ms(995 + round % 10);
    pthread_exit(NULL);
}

int main(int argc, char **argv) {
    const int rounds = argc > 1 ? atoi(argv[1]) : 20;
    for (int i = 0; i < rounds; i++)
        if (fork() == 0)
            one_round(i);
    for (int i = 0, status; i < rounds; i++)
        if (wait(&status) < 0 || status != 0)
            return 1;
    return 0;
}
