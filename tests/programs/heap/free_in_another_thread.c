// Blocks travel from producers to consumers through a queue; what the consumers keep is the producers' leak.
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

enum { SLOTS = 256, EACH = 20000, PAIRS = 4 };

static _Atomic(void *) queue[PAIRS][SLOTS];

static void *produce(void *argument) {
    long me = (long)argument;
    for (int i = 0; i < EACH; i++) {
        void *block = malloc(64); // LEAK count=400 bytes=25600
        void *empty = NULL;
        while (!atomic_compare_exchange_weak(&queue[me][i % SLOTS], &empty, block))
            empty = NULL;
    }
    return NULL;
}

static void *consume(void *argument) {
    long me = (long)argument;
    for (int i = 0; i < EACH; i++) {
        void *block;
        while (!(block = atomic_exchange(&queue[me][i % SLOTS], NULL)))
            ;
        if (i % 200 != 0)
            free(block);
    }
    return NULL;
}

int main(void) {
    pthread_t threads[2 * PAIRS];
    for (long i = 0; i < PAIRS; i++) {
        pthread_create(&threads[2 * i], NULL, produce, (void *)i);
        pthread_create(&threads[2 * i + 1], NULL, consume, (void *)i);
    }
    for (int i = 0; i < 2 * PAIRS; i++)
        pthread_join(threads[i], NULL);
    return 0;
}
