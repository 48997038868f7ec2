/* What the hooks add to a pair of calls that opens and closes a descriptor. In rounds that alternate, the pair is made
 * through libc, and by raw system calls: whatever else the machine does meets both. Prints for each pair the medians of
 * the rounds' CPU times in nanoseconds, and by how much the one is more than the other. With the library preloaded that
 * is what it costs; without, what libc itself does.
 *
 *     LD_PRELOAD=libleaktrack.so LEAKTRACK_OUTPUT=/tmp/%p.bin descriptors [rounds] */
#include "median.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { PAIRS = 2000, MOST_ROUNDS = 1000 };

/* syscall(3) is a hook, too. */
static long raw(long number, long a, long b, long c) {
    long result;
    __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
    return result;
}

static char path[] = "/tmp/leaktrack-bench-XXXXXX";

static void open_by_libc(void) {
    close(open(path, O_RDONLY));
}

static void open_raw(void) {
    register long mode __asm__("r10") = 0;
    long fd;
    __asm__ volatile("syscall"
                     : "=a"(fd)
                     : "a"(SYS_openat), "D"(AT_FDCWD), "S"(path), "d"(O_RDONLY), "r"(mode)
                     : "rcx", "r11", "memory");
    raw(SYS_close, fd, 0, 0);
}

static void socket_by_libc(void) {
    close(socket(AF_INET, SOCK_STREAM, 0));
}

static void socket_raw(void) {
    raw(SYS_close, raw(SYS_socket, AF_INET, SOCK_STREAM, 0), 0, 0);
}

static void dup_by_libc(void) {
    close(dup(0));
}

static void dup_raw(void) {
    raw(SYS_close, raw(SYS_dup, 0, 0, 0), 0, 0);
}

static const struct {
    const char *name;
    void (*by_libc)(void), (*raw)(void);
} pairs[] = {
    {"open/close", open_by_libc, open_raw},
    {"socket/close", socket_by_libc, socket_raw},
    {"dup/close", dup_by_libc, dup_raw},
};

static double nanoseconds_of(void (*pair)(void)) {
    struct timespec from, to;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
    for (int i = 0; i < PAIRS; i++)
        pair();
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
    return ((double)(to.tv_sec - from.tv_sec) * 1e9 + (double)(to.tv_nsec - from.tv_nsec)) / PAIRS;
}

int main(int argc, char **argv) {
    static double by_libc[MOST_ROUNDS], bare[MOST_ROUNDS];
    const int asked = argc > 1 ? atoi(argv[1]) : 200, rounds = asked > 0 && asked < MOST_ROUNDS ? asked : MOST_ROUNDS;
    if (mkstemp(path) < 0)
        return 1;
    for (size_t p = 0; p < sizeof pairs / sizeof *pairs; p++) {
        for (int i = 0; i < rounds; i++) {
            bare[i] = nanoseconds_of(pairs[p].raw);
            by_libc[i] = nanoseconds_of(pairs[p].by_libc);
        }
        const double raw_ns = median(bare, rounds), ns = median(by_libc, rounds);
        printf("%-14s raw %7.1f ns   libc %7.1f ns   %+6.1f ns  %+5.1f %%\n", pairs[p].name, raw_ns, ns, ns - raw_ns,
               (ns / raw_ns - 1) * 100);
    }
    unlink(path);
    return 0;
}
