// Two threads work over a snapshot and are joined; then the process, of one thread again, enters a new user namespace,
// which the kernel refuses to a process of several threads.
#include "busy.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>

static void *work(void *tid) {
    *(volatile pid_t *)tid = gettid();
    work_ms(1100); // past the first snapshot
    return NULL;
}

int main(void) {
    pthread_t threads[2];
    volatile pid_t tids[2];
    for (int i = 0; i < 2; i++)
        if (pthread_create(&threads[i], NULL, work, (void *)&tids[i]) != 0)
            die("pthread_create");
    for (int i = 0; i < 2; i++)
        join_until_gone(threads[i], &tids[i]);
    errno = 0;
    const int result = unshare(CLONE_NEWUSER);
    printf("%d %s\n", result, strerror(errno));
    return 0;
}
