// What mremap moves or grows belongs to its caller; what it shrinks loses its end.
#include <stdlib.h>
#include <sys/mman.h>

enum { PAGE = 4096 };

static char *map(size_t pages, int flags) {
    char *at = mmap(NULL, pages * PAGE, PROT_READ, flags | MAP_ANONYMOUS, -1, 0); // LEAK count=5 bytes=266240
    if (at == MAP_FAILED)
        exit(1);
    return at;
}

static void *checked(void *at) {
    if (at == MAP_FAILED)
        exit(2);
    return at;
}

int main(void) {
    char *moved = map(2, MAP_PRIVATE), *shrunk = map(9, MAP_PRIVATE), *twice = map(3, MAP_SHARED);
    char *emptied = map(4, MAP_PRIVATE), *room = map(64, MAP_PRIVATE), *target = room + 32 * PAGE;
    checked(mremap(moved, 2 * PAGE, 64 * PAGE, MREMAP_MAYMOVE)); // LEAK count=1 bytes=262144
    checked(mremap(shrunk, 9 * PAGE, 3 * PAGE, 0));
    checked(mremap(twice, 0, 3 * PAGE, MREMAP_MAYMOVE));                             // LEAK count=1 bytes=12288
    checked(mremap(emptied, 4 * PAGE, 4 * PAGE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP)); // LEAK count=1 bytes=16384
    checked(mremap(room, 8 * PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, target));    // LEAK count=1 bytes=4096
    return 0;
}
