// A vfork child runs in the parent's memory: what it acquires and releases there is so in the parent, and nothing else
// of what it does may touch the parent's tables or dump. Argument: what the child does.
#include "busy.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/wait.h>

static void *volatile held[100];

static __attribute__((noinline)) void acquire(void) {
    for (int i = 0; i < 100; i++)
        held[i] = malloc(777);
}

static __attribute__((noinline)) void in_the_child(const char *what) {
    if (strcmp(what, "exec") == 0)
        execl("/bin/sh", "sh", "-c", "exit 5", (char *)NULL);
    if (strcmp(what, "failing-exec") == 0)
        execl("/nonexistent", "x", (char *)NULL);
    if (strcmp(what, "free") == 0)
        for (int i = 0; i < 100; i++)
            free(held[i]);
    if (strcmp(what, "close") == 0)
        for (int fd = 3; fd < 1100; fd++)
            close(fd);
    if (strcmp(what, "dup2") == 0)
        for (int fd = 1000; fd < 1024; fd++)
            dup2(1, fd);
    if (strcmp(what, "work") == 0)
        work_ms(1200);
    _exit(5);
}

int main(int argc, char **argv) {
    int status;
    leak_a_thousand();
    acquire();
    const pid_t pid = vfork();
    if (pid == 0)
        in_the_child(argc > 1 ? argv[1] : "exec");
    waitpid(pid, &status, 0);
    printf("%d\n", WEXITSTATUS(status));
    return 0;
}
