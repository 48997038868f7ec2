// Makes a child in a time namespace whose monotonic clock is ahead of the parent's by so many seconds (first argument),
// which may be less than none. It leaks, works for so many milliseconds (second argument) and ends.
#include "busy.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/wait.h>

enum { NEW_TIME = 0x80, CAN_NOT = 77 }; /* CLONE_NEWTIME, which glibc 2.35 lacks */

static void set_ahead(const char *seconds) {
    const int fd = open("/proc/self/timens_offsets", O_WRONLY);
    if (fd < 0 || dprintf(fd, "monotonic %s 0\n", seconds) < 0)
        die("timens_offsets");
    close(fd);
}

int main(int argc, char **argv) {
    int status;
    if (argc != 3)
        return 98;
    if (unshare(NEW_TIME) < 0)
        return errno == EINVAL ? CAN_NOT : 99;
    set_ahead(argv[1]);
    const pid_t pid = fork();
    if (pid == 0) {
        leak_a_thousand();
        work_ms(atol(argv[2]));
        exit(0);
    }
    waitpid(pid, &status, 0);
    return WEXITSTATUS(status);
}
