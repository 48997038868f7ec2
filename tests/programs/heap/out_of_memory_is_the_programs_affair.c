// A program that limits its own address space gets most of it, then malloc fails, and the program lives on.
// output: differs
// untracked: yes
#include <stdlib.h>
#include <sys/resource.h>

enum { BLOCK = 64 << 10, MOST = (256 << 20) / BLOCK, LEAST = (128 << 20) / BLOCK };

static void *blocks[MOST];

int main(void) {
    struct rlimit limit = {256UL << 20, 256UL << 20};
    if (setrlimit(RLIMIT_AS, &limit))
        return 2;
    int taken = 0;
    while (taken < MOST && (blocks[taken] = malloc(BLOCK)))
        taken++;
    for (int i = 0; i < taken; i++)
        free(blocks[i]);
    return taken == MOST ? 3 : taken < LEAST ? 4 : 0;
}
