// A process of two threads that may not have a third: an unprivileged user at its RLIMIT_NPROC.
#include "busy.h"

#include <pthread.h>
#include <sys/resource.h>

static void *work(void *unused) {
    work_ms(2300);
    return unused;
}

int main(void) {
    const struct rlimit limit = {1, 1};
    pthread_t thread, third;
    leak_a_thousand();
    if (pthread_create(&thread, NULL, work, NULL) != 0)
        die("pthread_create");
    if (setrlimit(RLIMIT_NPROC, &limit) != 0 || setuid(54321) != 0)
        return 77;
    if (pthread_create(&third, NULL, work, NULL) == 0)
        return 77; // a user whose threads are not counted
    pthread_join(thread, NULL);
    return 0;
}
