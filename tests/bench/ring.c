/* A ring of live blocks: the oldest is freed, a new one taken its place. Prints nanoseconds per malloc and free.
 *
 *     ring [EVENTS] [BLOCKS] [BYTES] */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static unsigned long argument(int argc, char **argv, int i, unsigned long fallback) {
    return argc > i ? strtoul(argv[i], NULL, 0) : fallback;
}

int main(int argc, char **argv) {
    unsigned long events = argument(argc, argv, 1, 10000000), blocks = argument(argc, argv, 2, 1000);
    unsigned long bytes = argument(argc, argv, 3, 48);
    void **ring = calloc(blocks, sizeof *ring);
    double start = now_ns();
    for (unsigned long i = 0; i < events; i++) {
        void **place = &ring[i % blocks];
        free(*place);
        *place = malloc(bytes);
    }
    printf("%.2f\n", (now_ns() - start) / (double)events);
    return 0;
}
