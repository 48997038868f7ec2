// setuid in a process of several threads: glibc sends every thread a signal of its own and waits for all of them,
// hundreds of times while snapshots run.
#include "busy.h"

#include <pthread.h>

static volatile int stop;

static void *work(void *unused) {
    while (!stop)
        work_ms(10);
    return unused;
}

int main(void) {
    pthread_t threads[3];
    if (geteuid() != 0)
        return 77;
    for (int i = 0; i < 3; i++)
        if (pthread_create(&threads[i], NULL, work, NULL) != 0)
            die("pthread_create");
    for (const long end = now_ms() + 2300; now_ms() < end;) {
        if (seteuid(65534) != 0 || seteuid(0) != 0)
            die("seteuid");
        work_ms(1);
    }
    if (setuid(65534) != 0)
        die("setuid");
    printf("uid %d\n", (int)getuid());
    stop = 1;
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    return 0;
}
