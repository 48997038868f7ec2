// 1,000 blocks of 37 bytes from one line are kept while everything else is freed; with 1 and 8 threads, and freed by
// other threads than the allocating one. The second argument: "own" frees in the allocating thread, "cross" in the next
// one.
// run: 1 own
// run: 8 own
// run: 8 cross
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCKS = 1000, NOISE = 3000 };

static int threads, cross;
static void *noise[8][NOISE];
static pthread_barrier_t barrier;

static void leak(void) {
    char *volatile block = malloc(37); // LEAK count=1000 bytes=37000
    block[0] = 1;
}

static void *work(void *argument) {
    int me = (int)(long)argument;
    int share = BLOCKS / threads;
    for (int i = 0; i < NOISE; i++)
        noise[me][i] = malloc((size_t)(i % 500));
    for (int i = 0; i < share; i++)
        leak();
    pthread_barrier_wait(&barrier);
    int victim = cross ? (me + 1) % threads : me;
    for (int i = 0; i < NOISE; i++)
        free(noise[victim][i]);
    return NULL;
}

int main(int argc, char **argv) {
    threads = argc > 1 ? atoi(argv[1]) : 1;
    cross = argc > 2 && strcmp(argv[2], "cross") == 0;
    pthread_t ids[8];
    pthread_barrier_init(&barrier, NULL, (unsigned)threads);
    for (int i = 1; i < threads; i++)
        pthread_create(&ids[i], NULL, work, (void *)(long)i);
    work((void *)0L);
    for (int i = 1; i < threads; i++)
        pthread_join(ids[i], NULL);
    return 0;
}
