// Threads that allocate, fork, vfork, spawn and exec all at once, over several snapshots; every child must end with the
// status it was given. Argument: seconds.
#include "busy.h"

#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>

extern char **environ;
static long end;

static void expect(pid_t pid, int wanted) {
    int status = -1;
    if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status) || WEXITSTATUS(status) != wanted) {
        printf("child %d: status %x instead of exit %d\n", (int)pid, (unsigned)status, wanted);
        fflush(stdout);
        _exit(95);
    }
}

static pid_t vfork_and_exec(void) {
    const pid_t pid = vfork();
    if (pid == 0) {
        execl("/bin/true", "true", (char *)NULL);
        _exit(9);
    }
    return pid;
}

static pid_t fork_and(int what) {
    const pid_t pid = fork();
    if (pid == 0) {
        for (int i = 0; i < 200; i++)
            sink = i % 3 ? malloc(20) : NULL;
        if (what == 0)
            execl("/bin/true", "true", (char *)NULL);
        if (what == 1)
            _exit(0);
        exit(0);
    }
    return pid;
}

/* Without libc's knowledge; its malloc is not to be used there, another thread may hold its lock. */
static pid_t raw_fork(void) {
    const pid_t pid = (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
    if (pid == 0)
        _exit(0);
    return pid;
}

static void *work(void *number) {
    char *const arguments[] = {"true", NULL};
    for (long i = (long)number; now_ms() < end; i++) {
        pid_t pid;
        work_ms(5);
        switch (i % 6) {
        case 0:
            expect(vfork_and_exec(), 0);
            break;
        case 1:
            expect(posix_spawn(&pid, "/bin/true", NULL, NULL, arguments, environ) == 0 ? pid : -1, 0);
            break;
        case 2:
            expect(raw_fork(), 0);
            break;
        default:
            expect(fork_and((int)(i % 6) - 3), 0);
        }
    }
    return NULL;
}

int main(int argc, char **argv) {
    pthread_t threads[4];
    end = now_ms() + 1000 * (argc > 1 ? atol(argv[1]) : 4);
    leak_a_thousand();
    for (long i = 0; i < 4; i++)
        if (pthread_create(&threads[i], NULL, work, (void *)i) != 0)
            die("pthread_create");
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    puts("done");
    return 0;
}
