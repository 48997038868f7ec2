// Programs that fill a block up to malloc_usable_size (systemd does) must find the size of a bare libc.
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(void) {
    for (size_t size = 0; size < 3000; size += 7) {
        void *block = malloc(size);
        size_t usable = malloc_usable_size(block);
        memset(block, 0x5a, usable);
        printf("%zu %zu\n", size, usable);
        free(block);
    }
    return 0;
}
