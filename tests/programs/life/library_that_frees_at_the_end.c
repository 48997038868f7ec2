// A library's destructor frees what its constructor acquired. It does not depend on the preloaded library, so it is
// taken down after it.
#include <stdlib.h>

static void *volatile held[100];

__attribute__((constructor)) static void acquire(void) {
    for (int i = 0; i < 100; i++)
        held[i] = malloc(1001);
}

__attribute__((destructor)) static void release(void) {
    for (int i = 0; i < 100; i++)
        free(held[i]);
}

void *library_that_frees_at_the_end(void) {
    return held[0];
}
