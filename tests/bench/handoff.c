/* Cross-thread frees: in each pair of threads one allocates, the other frees. Blocks are handed over in batches, and a
 * thread that must wait sleeps, so that waiting costs no CPU time that would count as the tool's.
 *
 *     handoff DEPTH THREADS EVENTS BLOCKS */
#include "deep.h"

#include <stdbool.h>

enum { BATCHES = 4 };

/* One pair's queue: `ready` of the batches, counted from `taken`, are full. */
static struct pair {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    unsigned long taken, ready;
    void **batches[BATCHES];
} pairs[BENCH_THREADS_MAX / 2];

static void wait_while(struct pair *pair, unsigned long ready) {
    pthread_mutex_lock(&pair->lock);
    while (pair->ready == ready)
        pthread_cond_wait(&pair->changed, &pair->lock);
    pthread_mutex_unlock(&pair->lock);
}

static void finish(struct pair *pair, bool filled) {
    pthread_mutex_lock(&pair->lock);
    pair->ready = filled ? pair->ready + 1 : pair->ready - 1;
    pair->taken += !filled;
    pthread_cond_signal(&pair->changed);
    pthread_mutex_unlock(&pair->lock);
}

static BENCH_NOINLINE void fill(struct bench_thread *thread, void **batch) {
    for (unsigned long i = 0; i < thread->blocks; i++)
        batch[i] = bench_block(bench_size(bench_random(thread)));
}

static BENCH_NOINLINE void drain(struct bench_thread *thread, void **batch) {
    for (unsigned long i = 0; i < thread->blocks; i++)
        free(batch[i]);
}

static BENCH_NOINLINE void turn(struct bench_thread *thread) {
    struct pair *pair = &pairs[thread->number / 2];
    bool producer = thread->number % 2 == 0;
    for (unsigned long i = 0; i < thread->events / thread->blocks; i++) {
        wait_while(pair, producer ? BATCHES : 0);
        (producer ? fill : drain)(thread, pair->batches[i % BATCHES]);
        finish(pair, producer);
    }
}

int main(int argc, char **argv) {
    static struct bench_thread threads[BENCH_THREADS_MAX];
    unsigned long depth = bench_argument(argc, argv, 1, "DEPTH", BENCH_MIN_DEPTH, 10000);
    unsigned count = (unsigned)bench_argument(argc, argv, 2, "THREADS", 2, BENCH_THREADS_MAX) / 2 * 2;
    unsigned long events = bench_argument(argc, argv, 3, "EVENTS", 1, 1UL << 40);
    unsigned long blocks = bench_argument(argc, argv, 4, "BLOCKS", BATCHES * count, 1UL << 30);
    for (unsigned i = 0; i < count; i++) {
        unsigned long batch = blocks / (BATCHES * count / 2);
        threads[i] = (struct bench_thread){turn, i, depth, events / (count / 2), batch, 88172645463325252 + i * 7919};
        pthread_mutex_init(&pairs[i / 2].lock, NULL);
        pthread_cond_init(&pairs[i / 2].changed, NULL);
        if (i % 2 == 0)
            for (unsigned b = 0; b < BATCHES; b++)
                pairs[i / 2].batches[b] = calloc(batch, sizeof(void *));
    }
    bench_run(threads, count);
    return 0;
}
