/* A shared library: one exported function, one that only its symbol table knows. */
#include <stdlib.h>

static __attribute__((noinline)) void *hidden(size_t size) {
    void *block = malloc(size + 1);
    __asm__ volatile("" : "+r"(block)); /* no tail call */
    return block;
}

void *library_take(size_t size);
void *library_take(size_t size) {
    void *block = hidden(size * 2);
    __asm__ volatile("" : "+r"(block));
    return block;
}
