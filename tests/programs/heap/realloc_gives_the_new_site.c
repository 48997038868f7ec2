// A grown or moved block belongs to the line that reallocated it last; a failed reallocation leaves it where it was;
// realloc(p, 0) releases it.
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static void *volatile kept;
static volatile size_t huge = PTRDIFF_MAX, half = SIZE_MAX / 2;

int main(void) {
    void *volatile block = malloc(10);
    block = realloc(block, 20);
    block = realloc(block, 200000); // LEAK count=1 bytes=200000
    kept = block;

    void *stays = malloc(44); // LEAK count=1 bytes=44
    errno = 0;
    if (realloc(stays, huge) || errno != ENOMEM)
        return 1;
    if (reallocarray(stays, half, 4) || errno != ENOMEM)
        return 2;
    kept = stays;

    void *released = malloc(45);
    if (realloc(released, 0))
        return 3;
    void *shrunk = malloc(5000);
    kept = realloc(shrunk, 7); // LEAK count=1 bytes=7
    return 0;
}
