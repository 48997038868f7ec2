// Overflow, absurd sizes and bad alignment fail as in libc and leave no block.
#include <errno.h>
#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static volatile size_t huge = SIZE_MAX / 2, half = SIZE_MAX / 4 + 1;

int main(void) {
    void *block = (void *)1;
    errno = 0;
    printf("malloc %p %d\n", malloc(huge), errno);
    printf("calloc %p %d\n", calloc(half, 8), errno);
    printf("reallocarray %p %d\n", reallocarray(NULL, half, 8), errno);
    printf("aligned_alloc %p %d\n", aligned_alloc(64, huge), errno);
    errno = 0;
    printf("posix_memalign 3: %d %d\n", posix_memalign(&block, 3, 10), errno);
    printf("posix_memalign huge: %d %d\n", posix_memalign(&block, 64, huge), errno);
    printf("block %p\n", block);
    printf("valloc %p %d\n", valloc(huge), errno);
    printf("pvalloc %p %d\n", pvalloc(huge), errno);
    return 0;
}
