// 300 frames with a limit of 128: the innermost are kept and the stack says that it was cut.
// truncated: yes
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
