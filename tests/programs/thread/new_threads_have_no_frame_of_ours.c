// What a new thread acquires stands on stacks that end in libc, as without the library (no frame of its own is
// accepted).
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <threads.h>

static void *run(void *argument) {
    if ((uintptr_t)__builtin_frame_address(0) % 16 != 0) // the stack is aligned as the ABI wants it
        exit(3);
    void **block = argument;
    block[0] = malloc(37); // LEAK count=2 bytes=74
    return argument;
}

static int run_c11(void *argument) {
    return run(argument) == argument ? -5 : 0;
}

int main(void) {
    pthread_t thread;
    thrd_t c11;
    void *block[2], *value;
    int result;
    pthread_create(&thread, NULL, run, &block[0]);
    if (pthread_join(thread, &value) != 0 || value != &block[0])
        return 1;
    if (thrd_create(&c11, run_c11, &block[1]) != thrd_success || thrd_join(c11, &result) != thrd_success ||
        result != -5)
        return 2;
    return 0;
}
