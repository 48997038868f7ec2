// 300 frames with a limit of 400: the whole stack, down to main.
// env: LEAKTRACK_DEPTH=400
// outermost: main
#include <stdlib.h>

static void *volatile sink;

__attribute__((noinline)) static int descend(int n) {
    if (n == 0) {
        sink = malloc(19); // LEAK count=1 bytes=19
        return 1;
    }
    return descend(n - 1) + 1;
}

int main(void) {
    return descend(300) == 301 ? 0 : 1;
}
