/* What the programs about the life cycle share: a leak that is easy to find, and work that makes events. */
#ifndef BUSY_H
#define BUSY_H

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static void *volatile sink;

/* 1000 blocks of 37 bytes, 37000 bytes in all: the drivers look for this function. */
static __attribute__((noinline, unused)) void leak_a_thousand(void) {
    for (int i = 0; i < 1000; i++)
        sink = malloc(37);
}

static inline long now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Acquires and releases, some 50,000 times a second, for so long. */
static __attribute__((unused)) void work_ms(long ms) {
    const struct timespec nap = {.tv_nsec = 1000000};
    for (const long end = now_ms() + ms; now_ms() < end; nanosleep(&nap, NULL))
        for (int i = 0; i < 50; i++)
            free(memset(malloc(100), 1, 100));
}

/* pthread_join returns a moment before the kernel counts the thread out. To be one thread, a program has to wait. */
static inline void join_until_gone(pthread_t thread, const volatile pid_t *tid) {
    pthread_join(thread, NULL);
    while (tgkill(getpid(), *tid, 0) == 0)
        sched_yield();
}

static __attribute__((unused)) void die(const char *what) {
    perror(what);
    _exit(99);
}

#endif
