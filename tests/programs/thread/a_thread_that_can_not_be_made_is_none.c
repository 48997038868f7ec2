// pthread_create fails: nothing is held, nothing was acquired.
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/resource.h>

static void *end(void *argument) {
    return argument;
}

int main(void) {
    pthread_attr_t attributes;
    pthread_t thread;
    pthread_attr_init(&attributes);
    if (pthread_attr_setstacksize(&attributes, (size_t)1 << 46) != 0)
        return 1;
    for (int i = 0; i < 3; i++)
        if (pthread_create(&thread, &attributes, end, NULL) != EAGAIN)
            return 2;
    return 0;
}
