/* Calls that vanish: always-inline chains, a static clone, a nested function, code with two ranges. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static inline __attribute__((always_inline)) void *take(size_t size) {
    return malloc(size);
}

static inline __attribute__((always_inline)) char *copy(const char *text) {
    char *copied = take(strlen(text) + 1);
    return copied ? strcpy(copied, text) : NULL;
}

static __attribute__((noinline)) void *zeroed(size_t size, int wanted) {
    void *block = take(size);
    if (block && wanted)
        memset(block, 0, size);
    return block;
}

__attribute__((noinline)) int exported(int depth) {
    char *text = copy("exported");
    int length = text ? (int)strlen(text) : 0;
    free(text);
    if (__builtin_expect(length == depth, 0)) {
        fprintf(stderr, "unlikely\n");
        abort();
    }
    return depth > 0 ? exported(depth - 1) + length : length;
}

int main(int count, char **arguments) {
    (void)arguments;
    void *block = zeroed((size_t)count, 1);
    int sum = exported(count);
    free(block);
    return sum == 0;
}
