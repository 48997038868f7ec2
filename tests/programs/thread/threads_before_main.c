// Threads made by a constructor, and by a signal handler, which is not allowed and works.
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

static pthread_t early, from_handler;

static void *end(void *argument) {
    return argument;
}

static __attribute__((constructor)) void begin(void) {
    pthread_create(&early, NULL, end, NULL);
}

static void create(int signal) {
    (void)signal;
    pthread_create(&from_handler, NULL, end, NULL);
}

int main(void) {
    signal(SIGUSR1, create);
    raise(SIGUSR1);
    return pthread_join(early, NULL) || pthread_join(from_handler, NULL);
}
