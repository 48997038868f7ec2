// Everything is freed, by every member of the family that can free.
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

int main(void) {
    for (int i = 0; i < 10000; i++) {
        char *block = malloc((size_t)i);
        block = realloc(block, (size_t)(2 * i + 1));
        memset(block, 1, (size_t)(2 * i + 1));
        free(block);
        free(calloc(3, (size_t)i));
        free(memalign(64, (size_t)i));
        free(reallocarray(NULL, 2, (size_t)i));
    }
    free(NULL);
    return 0;
}
