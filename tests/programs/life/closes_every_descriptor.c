// Closes all it did not open, in the way of the argument, as daemons do; then opens files of its own, works over a
// snapshot, and looks whether every byte it wrote is where it belongs.
#include "busy.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>

static void close_what_proc_lists(void) {
    DIR *directory = opendir("/proc/self/fd");
    for (struct dirent *entry; directory && (entry = readdir(directory));) {
        const int fd = atoi(entry->d_name);
        if (fd > 2 && fd != dirfd(directory))
            close(fd);
    }
    if (directory)
        closedir(directory);
}

int main(int argc, char **argv) {
    const char *how = argc > 1 ? argv[1] : "loop";
    int files[40];
    leak_a_thousand();
    if (strcmp(how, "loop") == 0)
        for (int fd = 3; fd < 4096; fd++)
            if (close(fd) != -1 || errno != EBADF)
                printf("something was open or answered strangely\n");
    if (strcmp(how, "proc") == 0)
        close_what_proc_lists();
    if (strcmp(how, "close_range") == 0 && close_range(3, ~0u, 0) != 0)
        printf("close_range: %s\n", strerror(errno));
    if (strcmp(how, "close_range-unshare") == 0 && close_range(3, ~0u, CLOSE_RANGE_UNSHARE) != 0)
        printf("close_range: %s\n", strerror(errno));
    if (strcmp(how, "closefrom") == 0)
        closefrom(3);
    if (strcmp(how, "raw") == 0)
        syscall(SYS_close_range, 3, ~0u, 0);
    for (int i = 0; i < 40; i++) {
        char name[32];
        snprintf(name, sizeof name, "own-%d", i);
        files[i] = open(name, O_RDWR | O_CREAT | O_TRUNC, 0600);
        if (i % 2 && strcmp(how, "raw") == 0) { // at the very numbers that the library had
            const int wanted = 1000 + i;
            if (dup2(files[i], wanted) != wanted)
                die("dup2");
            close(files[i]);
            files[i] = wanted;
        }
    }
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 40; i++)
            if (write(files[i], "0123456789", 10) != 10)
                die("write");
        work_ms(600);
    }
    for (int i = 0; i < 40; i++)
        if (lseek(files[i], 0, SEEK_END) != 30)
            printf("own-%d was written by somebody else\n", i);
    puts("done");
    return 0;
}
