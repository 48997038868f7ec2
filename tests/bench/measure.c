/* Runs one program and writes what it cost: one line of "wall_ns user_us system_us peak_rss_kib status" to RESULT;
 * `status` is the exit code, or minus the signal.
 *
 *     measure RESULT [-i STDIN] [NAME=VALUE ...] -- PROGRAM [ARGUMENT ...]
 *
 * A program of its own, because a child's peak RSS counts from that of the process that forks it: a script
 * interpreter's 20 MB would hide all that is smaller. The variables are set for the program only. Dies with its
 * parent, and the program with it. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static uint64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static uint64_t microseconds(struct timeval t) {
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_usec;
}

static _Noreturn void fail(const char *what) {
    fprintf(stderr, "measure: %s: %s\n", what, strerror(errno));
    _exit(126);
}

static void redirect_stdin(const char *path) {
    int fd = open(path, O_RDONLY);
    if (fd < 0 || dup2(fd, STDIN_FILENO) < 0)
        fail(path);
    if (fd != STDIN_FILENO)
        close(fd);
}

static void become(const char *input, char **variables, char **command) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (input)
        redirect_stdin(input);
    for (char **variable = variables; strcmp(*variable, "--") != 0; variable++)
        putenv(*variable);
    execv(command[0], command);
    fail(command[0]);
}

int main(int argc, char **argv) {
    char **variables = argv + 2, **command = variables;
    const char *input = NULL;
    if (argc > 4 && strcmp(argv[2], "-i") == 0) {
        input = argv[3];
        variables = command = argv + 4;
    }
    while (argc > 2 && *command && strcmp(*command, "--") != 0)
        command++;
    if (argc < 4 || !*command || !command[1]) {
        fprintf(stderr, "usage: measure RESULT [-i STDIN] [NAME=VALUE ...] -- PROGRAM [ARGUMENT ...]\n");
        return 2;
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    uint64_t start = now_ns();
    pid_t pid = fork();
    if (pid == 0)
        become(input, variables, command + 1);
    int status = 0;
    struct rusage used;
    if (pid < 0 || wait4(pid, &status, 0, &used) != pid)
        fail("fork");
    uint64_t wall = now_ns() - start;
    FILE *result = fopen(argv[1], "w");
    if (!result)
        fail(argv[1]);
    fprintf(result, "%llu %llu %llu %ld %d\n", (unsigned long long)wall,
            (unsigned long long)microseconds(used.ru_utime), (unsigned long long)microseconds(used.ru_stime),
            used.ru_maxrss, WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status));
    return fclose(result) == 0 ? 0 : 1;
}
