// Constructors, destructors and exit handlers allocate and free like everyone else.
#include <stdlib.h>

static void *from_constructor, *freed_in_destructor, *volatile sink;

__attribute__((constructor)) static void construct(void) {
    from_constructor = malloc(31); // LEAK count=1 bytes=31
    freed_in_destructor = malloc(32);
}

static void at_exit(void) {
    sink = malloc(33); // LEAK count=1 bytes=33
}

__attribute__((destructor)) static void destruct(void) {
    free(freed_in_destructor);
    sink = malloc(34); // LEAK count=1 bytes=34
}

int main(void) {
    atexit(at_exit);
    return 0;
}
