/* What the synthetic workloads share: work at the end of a call stack of a given depth, in several threads; random
 * numbers; arguments. Each program stays in small functions that are not inlined, so that its stacks are what they
 * claim to be. */
#ifndef LT_BENCH_DEEP_H
#define LT_BENCH_DEEP_H

#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define BENCH_NOINLINE       __attribute__((noinline))
#define BENCH_NO_TAIL_CALL() __asm__ volatile("")

enum { BENCH_THREADS_MAX = 64, BENCH_MIN_DEPTH = 6 };

struct bench_thread {
    void (*work)(struct bench_thread *);
    unsigned number;
    unsigned long depth, events, blocks;
    uint64_t random;
};

static inline uint64_t bench_random(struct bench_thread *thread) {
    thread->random ^= thread->random << 13;
    thread->random ^= thread->random >> 7;
    thread->random ^= thread->random << 17;
    return thread->random;
}

/* 16 to 511 bytes: the sizes that programs ask for. */
static inline size_t bench_size(uint64_t random) {
    return 16 + (random >> 32) % 496;
}

/* A block that is used, as blocks are: memory that nobody writes to costs an allocator nothing. */
static inline void *bench_block(size_t size) {
    volatile char *block = malloc(size);
    if (!block)
        abort();
    block[0] = block[size - 1] = 1;
    return (void *)block;
}

static BENCH_NOINLINE void bench_descend(struct bench_thread *thread, unsigned long frames) {
    if (frames)
        bench_descend(thread, frames - 1);
    else
        thread->work(thread);
    BENCH_NO_TAIL_CALL();
}

/* Frames below the work's own two: this one, the descent's, start_thread, clone3. */
static void *bench_thread_main(void *argument) {
    struct bench_thread *thread = argument;
    bench_descend(thread, thread->depth - BENCH_MIN_DEPTH);
    return NULL;
}

/* Runs `work` in each of the threads; returns when all have ended. */
static inline void bench_run(struct bench_thread *threads, unsigned count) {
    pthread_t ids[BENCH_THREADS_MAX];
    for (unsigned i = 0; i < count; i++)
        if (pthread_create(&ids[i], NULL, bench_thread_main, &threads[i]) != 0)
            abort();
    for (unsigned i = 0; i < count; i++)
        pthread_join(ids[i], NULL);
}

static inline unsigned long bench_argument(int argc, char **argv, int i, const char *name, unsigned long least,
                                           unsigned long most) {
    char *end = NULL;
    unsigned long value = i < argc ? strtoul(argv[i], &end, 10) : 0;
    if (!end || *end || value < least || value > most) {
        fprintf(stderr, "%s: argument %d (%s) must be a number from %lu to %lu\n", argv[0], i, name, least, most);
        exit(2);
    }
    return value;
}

#endif
