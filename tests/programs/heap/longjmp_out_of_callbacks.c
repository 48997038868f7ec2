// longjmp leaves frames behind; the next stacks are right.
// outermost: main
#include <setjmp.h>
#include <stdlib.h>

static jmp_buf back;
static volatile int forever = 1;
static void *volatile sink;

__attribute__((noinline)) static void deep(int n) {
    char room[200];
    room[0] = (char)n;
    if (n == 0)
        longjmp(back, 1);
    free(malloc((size_t)n));
    if (forever)
        deep(n - 1);
    *(volatile char *)room = 1;
}

__attribute__((noinline)) static void leak(void) {
    sink = malloc(15); // LEAK count=100 bytes=1500
}

int main(void) {
    for (volatile int i = 0; i < 100; i++) {
        if (!setjmp(back))
            deep(i % 30);
        leak();
    }
    return 0;
}
