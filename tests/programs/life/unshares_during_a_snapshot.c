// A thread ends at the moment when a helper is at work; the main thread unshares at once. A hundred thousand live
// blocks make the snapshot long.
#include "busy.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>

static void *work(void *tid) {
    *(volatile pid_t *)tid = gettid();
    for (const long end = now_ms() + 1010; now_ms() < end;)
        for (int i = 0; i < 32; i++)
            free(malloc(10));
    return NULL;
}

int main(void) {
    pthread_t thread;
    volatile pid_t tid;
    for (int i = 0; i < 300000; i++)
        sink = malloc(16);
    if (pthread_create(&thread, NULL, work, (void *)&tid) != 0)
        die("pthread_create");
    join_until_gone(thread, &tid);
    errno = 0;
    const int result = unshare(CLONE_NEWUSER);
    printf("%d %s\n", result, strerror(errno));
    return 0;
}
