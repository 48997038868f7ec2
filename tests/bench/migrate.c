/* Blocks that move between threads at random: every thread puts a new block in a random place of one shared array and
 * frees what it finds there, which any of the threads may have allocated.
 *
 *     migrate DEPTH THREADS EVENTS BLOCKS */
#include "deep.h"

#include <stdatomic.h>

static _Atomic(void *) *blocks;

static BENCH_NOINLINE void exchange(struct bench_thread *thread) {
    uint64_t random = bench_random(thread);
    void *block = bench_block(bench_size(random));
    free(atomic_exchange_explicit(&blocks[random % thread->blocks], block, memory_order_acq_rel));
}

static BENCH_NOINLINE void turn(struct bench_thread *thread) {
    for (unsigned long i = 0; i < thread->events; i++)
        exchange(thread);
    BENCH_NO_TAIL_CALL();
}

int main(int argc, char **argv) {
    static struct bench_thread threads[BENCH_THREADS_MAX];
    unsigned long depth = bench_argument(argc, argv, 1, "DEPTH", BENCH_MIN_DEPTH, 10000);
    unsigned count = (unsigned)bench_argument(argc, argv, 2, "THREADS", 1, BENCH_THREADS_MAX);
    unsigned long events = bench_argument(argc, argv, 3, "EVENTS", 1, 1UL << 40);
    unsigned long total = bench_argument(argc, argv, 4, "BLOCKS", 1, 1UL << 30);
    blocks = calloc(total, sizeof *blocks);
    for (unsigned i = 0; i < count; i++)
        threads[i] = (struct bench_thread){turn, i, depth, events / count, total, 88172645463325252 + i * 7919};
    bench_run(threads, count);
    return 0;
}
