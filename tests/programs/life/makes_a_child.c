// Leaks; makes a child by the way of the first argument, which does what the second says; waits for it and prints its
// status. "threads" as third argument: while other threads acquire and release.
#include "busy.h"

#include <pthread.h>
#include <pty.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>

extern char **environ;

static void *work(void *unused) {
    for (;;)
        free(malloc(50));
    return unused;
}

static __attribute__((noinline)) void leak_ten_in_the_child(void) {
    for (int i = 0; i < 10; i++)
        sink = malloc(123);
}

static void be_the_child(const char *what) {
    if (strcmp(what, "nothing") == 0)
        _exit(5);
    if (strcmp(what, "exec") == 0)
        execl("/bin/sh", "sh", "-c", "exit 5", (char *)NULL);
    leak_ten_in_the_child();
    if (strcmp(what, "leak") == 0)
        exit(5);
    if (strcmp(what, "leak-then-_exit") == 0)
        _exit(5);
    if (strcmp(what, "leak-then-work") == 0) {
        work_ms(1500);
        kill(getpid(), SIGKILL);
    }
    if (strcmp(what, "leak-then-exec") == 0)
        execl("/bin/sh", "sh", "-c", "exit 5", (char *)NULL);
    if (strcmp(what, "grandchild") == 0) {
        int status;
        pid_t pid = fork();
        if (pid == 0) {
            leak_ten_in_the_child();
            exit(6);
        }
        waitpid(pid, &status, 0);
        exit(WEXITSTATUS(status) - 1);
    }
    _exit(97);
}

static pid_t spawn(void) {
    pid_t pid;
    char *const arguments[] = {"sh", "-c", "exit 5", NULL};
    return posix_spawn(&pid, "/bin/sh", NULL, NULL, arguments, environ) == 0 ? pid : -1;
}

static pid_t make_child(const char *way) {
    int terminal;
    if (strcmp(way, "fork") == 0)
        return fork();
    if (strcmp(way, "_Fork") == 0)
        return _Fork();
    if (strcmp(way, "raw") == 0)
        return (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
    if (strcmp(way, "forkpty") == 0)
        return forkpty(&terminal, NULL, NULL, NULL);
    if (strcmp(way, "spawn") == 0)
        return spawn();
    return -1;
}

int main(int argc, char **argv) {
    const char *way = argc > 1 ? argv[1] : "fork", *what = argc > 2 ? argv[2] : "nothing";
    int status = -1;
    pthread_t thread;
    leak_a_thousand();
    for (int i = 0; argc > 3 && i < 3; i++)
        pthread_create(&thread, NULL, work, NULL);
    if (strcmp(way, "system") == 0)
        status = system("exit 5");
    else if (strcmp(way, "popen") == 0)
        status = pclose(popen("exit 5", "w"));
    else {
        pid_t pid = make_child(way);
        if (pid == 0)
            be_the_child(what);
        waitpid(pid, &status, 0);
    }
    printf("%d %d\n", WIFEXITED(status) ? WEXITSTATUS(status) : -1, WIFSIGNALED(status) ? WTERMSIG(status) : 0);
    return 0;
}
