// A message queue's notification belongs to the process and must outlive a snapshot, whose helper closes copies of
// descriptors.
#include "busy.h"

#include <fcntl.h>
#include <mqueue.h>
#include <pthread.h>
#include <signal.h>

static volatile sig_atomic_t notified;

static void handle(int number) {
    (void)number;
    notified = 1;
}

static void *work(void *unused) {
    work_ms(1300);
    return unused;
}

int main(void) {
    char name[32];
    pthread_t thread;
    snprintf(name, sizeof name, "/leaktrack-test-%d", (int)getpid());
    const mqd_t queue = mq_open(name, O_RDWR | O_CREAT, 0600, NULL);
    if (queue == (mqd_t)-1)
        return 77; // no POSIX queues here
    mq_unlink(name);
    signal(SIGUSR1, handle);
    const struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
    if (mq_notify(queue, &event) != 0)
        die("mq_notify");
    pthread_create(&thread, NULL, work, NULL);
    work_ms(1200);
    pthread_join(thread, NULL);
    if (mq_send(queue, "x", 1, 0) != 0)
        die("mq_send");
    puts(notified ? "notified" : "not notified");
    return 0;
}
