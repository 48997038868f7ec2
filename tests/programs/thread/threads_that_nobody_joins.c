// A thread that ended and was neither joined nor detached still holds its stack; so does one that runs.
// env: LEAKTRACK_KINDS=thread
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

static void *end(void *argument) {
    return argument;
}

static void *stay(void *argument) {
    for (;;)
        pause();
    return argument;
}

int main(void) {
    pthread_t thread;
    for (int i = 0; i < 7; i++)
        pthread_create(&thread, NULL, end, NULL); // LEAK count=6 bytes=0
    pthread_join(thread, NULL);
    pthread_create(&thread, NULL, stay, NULL); // LEAK count=1 bytes=0
    return 0;
}
