// 300 frames with a limit of 128: the innermost are kept and the stack says that it was cut.
// truncated: yes
#include <stdlib.h>

static void *volatile sink;

static volatile int one = 1;

__attribute__((noinline)) static int descend(int n) {
    volatile int here = n;
    if (n == 0) {
        sink = malloc(19); // LEAK count=1 bytes=19
        return 1;
    }
    return descend(n - 1) + here / n * one;
}

int main(void) {
    return descend(300) == 301 ? 0 : 1;
}
