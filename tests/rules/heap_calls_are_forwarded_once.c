/* Prints how many calls reach the heap behind (counting_heap.c) for a thousand of each: the shim itself makes none. */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>

unsigned long heap_calls(void) __attribute__((weak));

static unsigned long before;

static void start(void) {
    before = heap_calls();
}

static void stop(const char *what) {
    unsigned long calls = heap_calls() - before;
    printf("%s %lu\n", what, calls);
}

int main(void) {
    static char buffer[4096];
    static void *blocks[1000];
    setvbuf(stdout, buffer, _IOFBF, sizeof buffer);
    if (!heap_calls) {
        printf("counting_heap is not preloaded\n");
        return 1;
    }
    start();
    for (size_t i = 0; i < 1000; i++)
        blocks[i] = malloc(i);
    stop("malloc");
    start();
    for (size_t i = 0; i < 1000; i++)
        blocks[i] = realloc(blocks[i], 2 * i + 1);
    stop("realloc");
    start();
    for (size_t i = 0; i < 1000; i++)
        blocks[i] = reallocarray(blocks[i], 3, i + 1);
    stop("reallocarray");
    start();
    for (size_t i = 0; i < 1000; i++)
        free(blocks[i]);
    stop("free");
    start();
    for (size_t i = 0; i < 1000; i++)
        blocks[i] = calloc(i, 3);
    for (size_t i = 0; i < 1000; i++)
        free(blocks[i]);
    stop("calloc, free");
    start();
    for (size_t i = 0; i < 1000; i++)
        blocks[i] = aligned_alloc(64, i);
    for (size_t i = 0; i < 1000; i++)
        free(blocks[i]);
    stop("aligned_alloc, free");
    return 0;
}
