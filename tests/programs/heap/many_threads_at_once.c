// 64 threads allocate and free at the same time on small stacks.
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>

static void *volatile sink;

static void *churn(void *argument) {
    (void)argument;
    void *blocks[50] = {0};
    for (int i = 0; i < 5000; i++) {
        free(blocks[i % 50]);
        blocks[i % 50] = malloc((size_t)(i % 300));
    }
    for (int i = 0; i < 50; i++)
        free(blocks[i]);
    sink = malloc(11); // LEAK count=64 bytes=704
    return NULL;
}

int main(void) {
    pthread_t threads[64];
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, PTHREAD_STACK_MIN);
    for (int i = 0; i < 64; i++)
        pthread_create(&threads[i], &attributes, churn, NULL);
    for (int i = 0; i < 64; i++)
        pthread_join(threads[i], NULL);
    return 0;
}
