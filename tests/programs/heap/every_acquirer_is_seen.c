// Each function that acquires heap memory, once, with its exact size.
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void *volatile kept;

int main(void) {
    kept = malloc(101);               // LEAK count=1 bytes=101
    kept = calloc(3, 51);             // LEAK count=1 bytes=153
    kept = realloc(NULL, 102);        // LEAK count=1 bytes=102
    kept = realloc(malloc(10), 5000); // LEAK count=1 bytes=5000
    kept = reallocarray(NULL, 7, 11); // LEAK count=1 bytes=77
    kept = memalign(256, 103);        // LEAK count=1 bytes=103
    kept = aligned_alloc(64, 128);    // LEAK count=1 bytes=128
    void *block;
    if (posix_memalign(&block, 4096, 104)) // LEAK count=1 bytes=104
        return 1;
    kept = valloc(105); // LEAK count=1 bytes=105
    long page = sysconf(_SC_PAGESIZE);
    kept = pvalloc((size_t)page - 1); // LEAK count=1 bytes=4095
    kept = malloc(0);                 // LEAK count=1 bytes=0
    kept = strdup("eleven char");     // LEAK count=1 bytes=12
    return 0;
}
