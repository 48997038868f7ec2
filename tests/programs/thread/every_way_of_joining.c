// Whoever joins or detaches, and however: nothing is left.
#include <pthread.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

static pthread_barrier_t barrier;

static void *end(void *argument) {
    return argument;
}

static int end_c11(void *argument) {
    return argument ? 42 : 0;
}

static void *detach_oneself(void *argument) {
    pthread_detach(pthread_self());
    pthread_barrier_wait(&barrier);
    return argument;
}

static void *join_other(void *other) {
    void *value;
    return (void *)(long)(pthread_join(*(pthread_t *)other, &value) != 0 || value != &barrier);
}

static void check(int wrong) {
    if (wrong)
        exit(1);
}

static pthread_t create(void *(*run)(void *), void *argument) {
    pthread_t thread;
    check(pthread_create(&thread, NULL, run, argument));
    return thread;
}

static int threads(void) {
    struct stat tasks; // a directory: two links, and one for each thread
    check(stat("/proc/self/task", &tasks));
    return (int)tasks.st_nlink - 2;
}

int main(void) {
    const struct timespec late = {.tv_sec = 1L << 40};
    void *value;
    int result;
    thrd_t c11;
    pthread_t other;
    pthread_barrier_init(&barrier, NULL, 2);
    pthread_t thread = create(end, &value);
    while (pthread_tryjoin_np(thread, &value) != 0)
        ;
    check(value != &value);
    check(pthread_timedjoin_np(create(end, NULL), &value, &late) || value);
    check(pthread_clockjoin_np(create(end, NULL), &value, CLOCK_MONOTONIC, &late) || value);
    other = create(end, &barrier);
    check(pthread_join(create(join_other, &other), &value) || value);
    check(pthread_detach(create(end, NULL)));
    create(detach_oneself, NULL);
    pthread_barrier_wait(&barrier);
    check(thrd_create(&c11, end_c11, &result) != thrd_success || thrd_join(c11, &result) != thrd_success ||
          result != 42);
    check(thrd_create(&c11, end_c11, NULL) != thrd_success || thrd_detach(c11) != thrd_success);
    while (threads() > 1) // the kernel knows a detached one for a moment longer
        usleep(1000);
    return 0;
}
