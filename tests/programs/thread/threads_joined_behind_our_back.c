// Threads are joined by a pthread_join that no hook can see: libc's own, from its own handle. That is noticed when the
// thread's handle is given out again. Threads that are released in the usual ways do not count.
// env: LEAKTRACK_KINDS=thread
// vanished: 5
#include <dlfcn.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <sys/stat.h>

static int (*unseen_join)(pthread_t, void **);
static pthread_t handles[5];

static void *end(void *argument) {
    return argument;
}

static int usual_ways(void) {
    pthread_t thread;
    pthread_attr_t detached;
    pthread_attr_init(&detached);
    pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
    for (int i = 0; i < 20; i++)
        if (pthread_create(&thread, NULL, end, NULL) != 0 || pthread_join(thread, NULL) != 0 ||
            pthread_create(&thread, NULL, end, NULL) != 0 || pthread_detach(thread) != 0 ||
            pthread_create(&thread, &detached, end, NULL) != 0)
            return 1;
    struct stat tasks = {.st_nlink = 0};
    while (stat("/proc/self/task", &tasks) == 0 && tasks.st_nlink != 3) /* ".", ".." and the main thread */
        sched_yield();
    return tasks.st_nlink != 3;
}

int main(void) {
    void *value, *libc = dlopen("libc.so.6", RTLD_LAZY | RTLD_NOLOAD);
    *(void **)&unseen_join = libc ? dlsym(libc, "pthread_join") : NULL;
    if (!unseen_join || unseen_join == pthread_join)
        return unseen_join ? 0 : 2;
    for (intptr_t i = 0; i < 5; i++) {
        pthread_create(&handles[i], NULL, end, (void *)i); // LEAK count=0 bytes=0
        if (unseen_join(handles[i], &value) != 0 || (intptr_t)value != i || handles[i] != handles[0])
            return 3;
    }
    return usual_ways();
}
