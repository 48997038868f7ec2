// A thread ends at the moment when a helper is at work; the main thread unshares at once. A hundred thousand live
// blocks make the snapshot long.
#include "busy.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>

static void *work(void *unused) {
    for (const long end = now_ms() + 1010; now_ms() < end;)
        for (int i = 0; i < 32; i++)
            free(malloc(10));
    return unused;
}

int main(void) {
    pthread_t thread;
    for (int i = 0; i < 300000; i++)
        sink = malloc(16);
    if (pthread_create(&thread, NULL, work, NULL) != 0)
        die("pthread_create");
    pthread_join(thread, NULL);
    errno = 0;
    const int result = unshare(CLONE_NEWUSER);
    printf("%d %s\n", result, strerror(errno));
    return 0;
}
