// Under RLIMIT_AS malloc fails sooner or later, as it does without the shim, and the program lives on.
// output: differs
// untracked: yes
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

int main(void) {
    struct rlimit limit = {512UL << 20, 512UL << 20};
    struct rlimit before;
    getrlimit(RLIMIT_AS, &before);
    FILE *statm = fopen("/proc/self/statm", "r");
    unsigned long pages = 0;
    if (!statm || fscanf(statm, "%lu", &pages) != 1)
        return 3;
    fclose(statm);
    limit.rlim_cur = limit.rlim_max = pages * 4096 + (64UL << 20);
    if (setrlimit(RLIMIT_AS, &limit))
        return 2;
    void **blocks = calloc(4096, sizeof *blocks);
    int taken = 0;
    while (taken < 4096 && (blocks[taken] = malloc(64 << 10)))
        taken++;
    if (taken == 4096)
        return 1;
    for (int i = 0; i < taken; i++)
        free(blocks[i]);
    free(blocks);
    return 0;
}
