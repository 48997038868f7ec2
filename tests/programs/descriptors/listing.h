/* The judge: what the kernel says is open, told by the program itself at its very end, by raw system calls, in a file
 * "listing.PID" of lines "FD TARGET". The test compares it with the report. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static inline void list_descriptors(void) {
    static char entries[32768], lines[4 << 20];
    char link[64], target[4096];
    size_t used = 0;
    const int directory = (int)syscall(SYS_openat, AT_FDCWD, "/proc/thread-self/fd", O_RDONLY | O_DIRECTORY);
    for (long size, at; (size = syscall(SYS_getdents64, directory, entries, sizeof entries)) > 0;)
        for (at = 0; at < size; at += *(unsigned short *)(entries + at + 16)) {
            const char *name = entries + at + 19;
            if (*name == '.' || atoi(name) == directory)
                continue;
            snprintf(link, sizeof link, "/proc/thread-self/fd/%s", name);
            const ssize_t length = readlink(link, target, sizeof target - 1);
            target[length > 0 ? length : 0] = '\0';
            used += (size_t)snprintf(lines + used, sizeof lines - used, "%s %s\n", name, target);
        }
    syscall(SYS_close, directory);
    snprintf(link, sizeof link, "listing.%d", getpid());
    const int file = (int)syscall(SYS_openat, AT_FDCWD, link, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    for (size_t at = 0; at < used;) {
        const ssize_t written = write(file, lines + at, used - at);
        at += written > 0 ? (size_t)written : used;
    }
    syscall(SYS_close, file);
}

static inline void need(int so, const char *what) {
    if (!so) {
        perror(what);
        exit(99);
    }
}
