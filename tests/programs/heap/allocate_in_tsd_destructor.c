// Thread-specific-data destructors allocate and free after the thread's function has returned, several rounds long.
#include <pthread.h>
#include <stdlib.h>

static pthread_key_t key;

static void destroy(void *value) {
    long round = (long)*(long *)value;
    free(value);
    if (round == 0)
        return;
    long *next = malloc(sizeof *next);
    *next = round - 1;
    pthread_setspecific(key, next);
    void *volatile leaked = malloc(21); // LEAK count=60 bytes=1260
    leaked = NULL;
    (void)leaked;
}

static void *start(void *argument) {
    (void)argument;
    long *value = malloc(sizeof *value);
    *value = 3;
    pthread_setspecific(key, value);
    return NULL;
}

int main(void) {
    pthread_key_create(&key, destroy);
    for (int i = 0; i < 20; i++) {
        pthread_t thread;
        pthread_create(&thread, NULL, start, NULL);
        pthread_join(thread, NULL);
    }
    return 0;
}
