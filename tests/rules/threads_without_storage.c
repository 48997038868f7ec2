/* Threads made by a bare clone(CLONE_VM) run on the thread-local storage of their creator, and all of them allocate at
 * once. The creator's own blocks are recorded, the others' are not, and nothing breaks. Preloaded behind the shim:
 * bump_heap, since glibc's own heap keeps a cache in that storage and would not survive. */
#include "leaktrack.h"

#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { GUESTS = 3, STACK = 256 * 1024, ROUNDS = 100000, KEPT = 100 };

static atomic_int stop, left;

static __attribute__((noinline)) void allocate(unsigned depth) {
    if (depth) {
        allocate(depth - 1);
        __asm__ volatile("");
        return;
    }
    void *block = malloc(20);
    block = realloc(block, 50);
    free(block);
}

static int guest(void *unused) {
    (void)unused;
    for (unsigned i = 0; !stop; i++)
        allocate(i % 20);
    left++;
    syscall(SYS_exit, 0);
    return 0;
}

int main(void) {
    const int flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM;
    static char buffer[4096];
    setvbuf(stdout, buffer, _IOFBF, sizeof buffer);
    if (!leaktrack_live_count) {
        printf("the shim is not preloaded\n");
        return 1;
    }
    for (int i = 0; i < GUESTS; i++) {
        char *stack = mmap(NULL, STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (stack == MAP_FAILED || clone(guest, stack + STACK, flags, NULL) < 0)
            return 77;
    }
    int64_t before = leaktrack_live_count(LEAKTRACK_HEAP);
    for (unsigned i = 0; i < ROUNDS; i++)
        allocate(i % 25);
    static void *kept[KEPT];
    for (int i = 0; i < KEPT; i++)
        kept[i] = malloc(1);
    stop = 1;
    while (left < GUESTS)
        usleep(1000);
    int64_t change = leaktrack_live_count(LEAKTRACK_HEAP) - before;
    printf("%lld blocks\n", (long long)change);
    free(kept[0]);
    return change != KEPT || leaktrack_live_count(LEAKTRACK_HEAP) - before != KEPT - 1;
}
