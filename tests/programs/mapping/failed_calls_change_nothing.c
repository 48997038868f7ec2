// A call that fails releases nothing, however many mappings it would have replaced.
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

enum { PAGE = 4096, PIECES = 40 };

int main(void) {
    char *at = mmap(NULL, PIECES * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), *none;
    for (int i = 0; i < PIECES; i++) {
        const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;
        none = mmap(at + i * PAGE, PAGE, PROT_READ, flags, -1, 0); // LEAK count=40 bytes=163840
        if (none == MAP_FAILED)
            return 4;
    }
    none = mmap(at, PIECES * PAGE, PROT_READ, MAP_PRIVATE | MAP_FIXED, 100000, 0);
    if (none != MAP_FAILED || errno != EBADF)
        return 1;
    if (munmap(at + 1, PAGE) == 0 || munmap(at, 0) == 0 || mremap(at, PIECES * PAGE, PAGE, 64) != MAP_FAILED)
        return 2;
    if (mremap(at, PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, at + PAGE / 2) != MAP_FAILED)
        return 3;
    return 0;
}
