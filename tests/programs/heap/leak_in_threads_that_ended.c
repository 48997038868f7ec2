// 2,000 threads live and die, each leaving one block; their tables are used again and their blocks stay.
#include <pthread.h>
#include <stdlib.h>

static void *volatile sink;

static void *leak(void *argument) {
    (void)argument;
    free(malloc(10));
    sink = malloc(24); // LEAK count=2000 bytes=48000
    return NULL;
}

int main(void) {
    for (int round = 0; round < 500; round++) {
        pthread_t threads[4];
        for (int i = 0; i < 4; i++)
            pthread_create(&threads[i], NULL, leak, NULL);
        for (int i = 0; i < 4; i++)
            pthread_join(threads[i], NULL);
    }
    return 0;
}
