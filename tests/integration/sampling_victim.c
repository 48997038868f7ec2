/* What a sampled process is judged by.
 *
 *     sampling_victim leak       leaks known blocks from several functions and two threads, and says what: NAME COUNT
 * BYTES sampling_victim balanced   takes blocks by every function there is, and gives all of them back sampling_victim
 * slowly     takes and frees small blocks until its input ends; says "ready" first */
#include <malloc.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { HELD = 2000, ROUNDS = 20000 };

static void *volatile kept;

static void leak_small(size_t count) {
    for (size_t i = 0; i < count; i++)
        kept = malloc(16 + i % 4 * 16);
}

static void leak_medium(size_t count) {
    for (size_t i = 0; i < count; i++)
        kept = calloc(1 + i % 3, 1000);
}

static void leak_large(size_t count) {
    for (size_t i = 0; i < count; i++)
        kept = malloc(i % 2 ? 300000 : 900000);
}

static void leak_what_grew(size_t count) {
    for (size_t i = 0; i < count; i++) {
        void *block = malloc(100);
        if (!block)
            abort();
        block = realloc(block, 400);
        kept = realloc(block, 5000);
    }
}

static void *leak_in_a_thread(void *unused) {
    for (size_t i = 0; i < 100000; i++)
        kept = malloc(48);
    return unused;
}

static int leak(void) {
    pthread_t thread;
    if (pthread_create(&thread, NULL, leak_in_a_thread, NULL))
        return 1;
    leak_small(200000);
    leak_medium(6000);
    leak_large(60);
    leak_what_grew(3000);
    pthread_join(thread, NULL);
    return printf("leak_small 200000 8000000\nleak_medium 6000 12000000\nleak_large 60 36000000\n"
                  "leak_what_grew 3000 15000000\nleak_in_a_thread 100000 4800000\n") < 0;
}

static uint64_t random_number(void) {
    static uint64_t x = 88172645463325252u;
    x ^= x << 13;
    x ^= x >> 7;
    return x ^= x << 17;
}

static void *take_somehow(size_t size) {
    void *block = NULL;
    switch (random_number() % 7) {
    case 0:
        return calloc(1, size);
    case 1:
        return posix_memalign(&block, 64, size) ? NULL : block;
    case 2:
        return aligned_alloc(64, (size + 63) / 64 * 64);
    case 3:
        return memalign(256, size);
    case 4:
        return reallocarray(NULL, size, 1);
    case 5:
        return strdup("a block that libc takes for the caller");
    default:
        return malloc(size);
    }
}

static void *blocks[HELD];

static void *free_half(void *unused) {
    for (size_t i = 0; i < HELD; i += 2) {
        free(blocks[i]);
        blocks[i] = NULL;
    }
    return unused;
}

static void turn_over(void) {
    volatile size_t too_much = SIZE_MAX / 4;
    for (size_t i = 0; i < ROUNDS; i++) {
        void **block = &blocks[random_number() % HELD];
        const size_t size = (size_t)1 << random_number() % 16;
        switch (random_number() % 4) {
        case 0:
            *block = realloc(*block, size);
            break;
        case 1: /* fails: the block stays, sampled or not */
            if (realloc(*block, too_much))
                abort();
            break;
        default:
            free(*block);
            *block = take_somehow(size);
        }
    }
}

static int balanced(void) {
    pthread_t thread;
    turn_over();
    if (pthread_create(&thread, NULL, free_half, NULL))
        return 1;
    pthread_join(thread, NULL);
    for (size_t i = 0; i < HELD; i++)
        free(blocks[i]);
    return 0;
}

static int slowly(void) {
    struct pollfd input = {.fd = 0, .events = POLLIN};
    if (write(1, "ready\n", 6) != 6)
        return 1;
    while (poll(&input, 1, 1) == 0)
        for (int i = 0; i < 100; i++) {
            kept = malloc(20);
            free(kept);
        }
    return 0;
}

int main(int argc, char **argv) {
    const char *mode = argc > 1 ? argv[1] : "";
    if (strcmp(mode, "leak") == 0)
        return leak();
    if (strcmp(mode, "balanced") == 0)
        return balanced();
    if (strcmp(mode, "slowly") == 0)
        return slowly();
    fputs("usage: sampling_victim leak|balanced|slowly\n", stderr);
    return 2;
}
