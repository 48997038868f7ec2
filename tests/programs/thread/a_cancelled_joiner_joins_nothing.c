// A thread is cancelled while it joins another, which stays to be joined; and cancellation passes through the hook.
// env: LEAKTRACK_KINDS=thread
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>

static sem_t go;
static int cleaned;

static void *wait_for_it(void *argument) {
    while (sem_wait(&go) != 0)
        ;
    return argument;
}

static void clean(void *unused) {
    (void)unused;
    cleaned = 1;
}

static void *join(void *other) {
    pthread_cleanup_push(clean, NULL);
    pthread_join(*(pthread_t *)other, NULL);
    pthread_cleanup_pop(0);
    return NULL;
}

int main(void) {
    pthread_t other, joiner;
    void *value;
    sem_init(&go, 0, 0);
    pthread_create(&other, NULL, wait_for_it, NULL); // LEAK count=1 bytes=0
    pthread_create(&joiner, NULL, join, &other);
    pthread_cancel(joiner);
    if (pthread_join(joiner, &value) != 0 || value != PTHREAD_CANCELED || !cleaned)
        return 1;
    sem_post(&go);
    return 0;
}
