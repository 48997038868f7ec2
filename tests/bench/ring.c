/* Live blocks, a random one of which is freed and another taken in its place, again and again.
 *
 *     ring DEPTH THREADS EVENTS BLOCKS
 *
 * Every allocation has a call stack of exactly DEPTH frames, by one of two paths. EVENTS are shared out among the
 * threads; every thread holds BLOCKS, and still does when the program ends. */
#include "deep.h"

static void *blocks_of[BENCH_THREADS_MAX];

static inline void replace(struct bench_thread *thread) {
    void **blocks = blocks_of[thread->number];
    uint64_t random = bench_random(thread);
    void **place = &blocks[random % thread->blocks];
    free(*place);
    *place = bench_block(bench_size(random));
}

static BENCH_NOINLINE void one_path(struct bench_thread *thread) {
    replace(thread);
}

static BENCH_NOINLINE void other_path(struct bench_thread *thread) {
    replace(thread);
    BENCH_NO_TAIL_CALL();
}

static BENCH_NOINLINE void choose(struct bench_thread *thread) {
    if (thread->random & 1)
        one_path(thread);
    else
        other_path(thread);
    BENCH_NO_TAIL_CALL();
}

static BENCH_NOINLINE void turn(struct bench_thread *thread) {
    for (unsigned long i = 0; i < thread->events; i++)
        choose(thread);
    BENCH_NO_TAIL_CALL();
}

int main(int argc, char **argv) {
    static struct bench_thread threads[BENCH_THREADS_MAX];
    unsigned long depth = bench_argument(argc, argv, 1, "DEPTH", BENCH_MIN_DEPTH + 1, 10000);
    unsigned count = (unsigned)bench_argument(argc, argv, 2, "THREADS", 1, BENCH_THREADS_MAX);
    unsigned long events = bench_argument(argc, argv, 3, "EVENTS", 1, 1UL << 40);
    unsigned long blocks = bench_argument(argc, argv, 4, "BLOCKS", 1, 1UL << 30);
    for (unsigned i = 0; i < count; i++) {
        blocks_of[i] = calloc(blocks, sizeof(void *));
        threads[i] = (struct bench_thread){turn, i, depth - 1, events / count, blocks, 88172645463325252 + i * 7919};
    }
    bench_run(threads, count);
    return 0;
}
