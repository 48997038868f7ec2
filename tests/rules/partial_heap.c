/* A library that brings malloc and free and leaves the rest of the family to libc. */
#include <stddef.h>
#include <stdlib.h>

void *__libc_malloc(size_t);
void __libc_free(void *);

void *malloc(size_t size) {
    return __libc_malloc(size);
}

void free(void *block) {
    __libc_free(block);
}
