// What is left of a mapping belongs to the line that mapped it, in however many pieces.
#include <stdlib.h>
#include <sys/mman.h>

enum { PAGE = 4096 };

int main(void) {
    char *at = mmap(NULL, 10 * PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0); // LEAK count=3 bytes=24576
    char *whole = mmap(NULL, PAGE + 1, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED || whole == MAP_FAILED)
        return 1;
    if (munmap(at, PAGE) || munmap(at + 3 * PAGE, 2 * PAGE) || munmap(at + 7 * PAGE, 1) || munmap(whole, PAGE + 1))
        return 2;
    mprotect(at + 5 * PAGE, PAGE, PROT_NONE); // no piece of its own
    return 0;
}
