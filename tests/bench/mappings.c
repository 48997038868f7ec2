/* What the hooks add to a pair of calls that acquires and releases a mapping, a thread or a timer. In rounds that
 * alternate, the pair is made through the hooks, and by the functions that libc's own handle gives: whatever else the
 * machine does meets both. Prints the medians of the rounds' CPU times of the process in nanoseconds, and the
 * difference.
 *
 *     LD_PRELOAD=libleaktrack.so LEAKTRACK_OUTPUT=/tmp/%p.bin mappings [rounds] */
#include "median.h"

#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

enum { PAIRS = 500, MOST_ROUNDS = 1000, SIZE = 65536, PAGE = 4096, MANY = 10000 };

static struct calls {
    void *(*map)(void *, size_t, int, int, int, off_t);
    int (*unmap)(void *, size_t);
    int (*create)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
    int (*join)(pthread_t, void **);
    int (*create_timer)(clockid_t, struct sigevent *, timer_t *);
    int (*delete_timer)(timer_t);
} hooked = {mmap, munmap, pthread_create, pthread_join, timer_create, timer_delete}, bare;

/* The conversion that POSIX asks for. */
static void look_up(void *libc, const char *name, void *place) {
    *(void **)place = dlsym(libc, name);
    if (!*(void **)place) {
        fprintf(stderr, "libc has no %s\n", name);
        exit(1);
    }
}

static void look_all_up(void) {
    void *libc = dlopen("libc.so.6", RTLD_NOW | RTLD_NOLOAD);
    look_up(libc, "mmap", &bare.map);
    look_up(libc, "munmap", &bare.unmap);
    look_up(libc, "pthread_create", &bare.create);
    look_up(libc, "pthread_join", &bare.join);
    look_up(libc, "timer_create", &bare.create_timer);
    look_up(libc, "timer_delete", &bare.delete_timer);
}

static void map(const struct calls *by) {
    by->unmap(by->map(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), SIZE);
}

static void map_and_touch(const struct calls *by) {
    char *at = by->map(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    for (int page = 0; page < SIZE; page += PAGE)
        *(volatile char *)(at + page) = 1;
    by->unmap(at, SIZE);
}

static void *end(void *argument) {
    return argument;
}

static void thread(const struct calls *by) {
    pthread_t created;
    by->create(&created, NULL, end, NULL);
    by->join(created, NULL);
}

static void timer(const struct calls *by) {
    struct sigevent none = {.sigev_notify = SIGEV_NONE};
    timer_t created;
    by->create_timer(CLOCK_MONOTONIC, &none, &created);
    by->delete_timer(created);
}

/* Neighbours with another protection are not joined. */
static void map_many(void) {
    for (int i = 0; i < MANY; i++)
        if (mmap(NULL, PAGE, i % 2 ? PROT_READ : PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED)
            exit(1);
}

static const struct {
    const char *name;
    void (*prepare)(void);
    void (*pair)(const struct calls *);
} pairs[] = {
    {"mmap/munmap 64 KiB", NULL, map},     {"the same, touched", NULL, map_and_touch},
    {"pthread_create/join", NULL, thread}, {"timer_create/delete", NULL, timer},
    {"mmap beside 10,000", map_many, map},
};

static double nanoseconds_of(void (*pair)(const struct calls *), const struct calls *by) {
    struct timespec from, to;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
    for (int i = 0; i < PAIRS; i++)
        pair(by);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
    return ((double)(to.tv_sec - from.tv_sec) * 1e9 + (double)(to.tv_nsec - from.tv_nsec)) / PAIRS;
}

int main(int count, char **arguments) {
    static double through[MOST_ROUNDS], without[MOST_ROUNDS];
    const int rounds = count > 1 ? atoi(arguments[1]) : 20;
    if (rounds < 1 || rounds > MOST_ROUNDS) {
        fprintf(stderr, "usage: mappings [rounds, 1 to %d]\n", MOST_ROUNDS);
        return 2;
    }
    look_all_up();
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        if (pairs[i].prepare)
            pairs[i].prepare();
        for (int round = 0; round < rounds; round++) {
            without[round] = nanoseconds_of(pairs[i].pair, &bare);
            through[round] = nanoseconds_of(pairs[i].pair, &hooked);
        }
        const double a = median(through, rounds), b = median(without, rounds);
        printf("%-22s %8.0f ns bare %8.0f ns hooked %+7.0f ns %+6.1f %%\n", pairs[i].name, b, a, a - b,
               (a / b - 1) * 100);
    }
    return 0;
}
