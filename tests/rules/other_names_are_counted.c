/* glibc's other names for what opens, closes and forks: each changes the numbers of live descriptors as the plain name
 * does, and works as it does. Run under the shim only. */
#include "leaktrack.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

int __open(const char *, int, ...), __open64(const char *, int, ...);
int __close(int), __dup2(int, int), __fcntl(int, int, ...), __pipe(int[2]);
FILE *_IO_fopen(const char *, const char *), *_IO_fdopen(int, const char *), *_IO_popen(const char *, const char *);
int _IO_fclose(FILE *);
pid_t __fork(void), __vfork(void);
int __clone(int (*)(void *), void *, int, void *, ...);

static int64_t files, pipes;
static int failures;

/* `so`, and the live files and pipes have changed by that much since the last call. */
static void check(const char *what, int so, int64_t more_files, int64_t more_pipes) {
    const int64_t now_files = leaktrack_live_count(LEAKTRACK_FILE), now_pipes = leaktrack_live_count(LEAKTRACK_PIPE);
    if (!so || now_files - files != more_files || now_pipes - pipes != more_pipes) {
        printf("%s: %s, files %+lld, expected %+lld, pipes %+lld, expected %+lld\n", what,
               so ? "done" : strerror(errno), (long long)(now_files - files), (long long)more_files,
               (long long)(now_pipes - pipes), (long long)more_pipes);
        failures++;
    }
    files = now_files;
    pipes = now_pipes;
}

static void numbers(void) {
    struct stat info;
    int fds[2], fd = __open("/tmp", O_RDWR | O_TMPFILE, 0640);
    check("__open", fd >= 0 && fstat(fd, &info) == 0 && (info.st_mode & 0777) == 0640, 1, 0);
    check("__fcntl(F_GETFD)", __fcntl(fd, F_GETFD) == 0, 0, 0);
    check("__fcntl(F_DUPFD)", __fcntl(fd, F_DUPFD, 100) == 100, 1, 0);
    check("__dup2", __dup2(fd, 101) == 101, 1, 0);
    check("__dup2 of what is not open", __dup2(99, 101) == -1 && errno == EBADF, 0, 0);
    check("__close", __close(fd) == 0 && __close(100) == 0 && __close(101) == 0, -3, 0);
    check("__close again", __close(101) == -1 && errno == EBADF, 0, 0);
    fd = __open64("/dev/null", O_RDONLY);
    check("__open64", fd >= 0, 1, 0);
    check("__close", __close(fd) == 0, -1, 0);
    check("__open of nothing", __open("/no/such/file", O_RDONLY) == -1 && errno == ENOENT, 0, 0);
    check("__pipe", __pipe(fds) == 0, 0, 2);
    check("__close", __close(fds[0]) == 0 && __close(fds[1]) == 0, 0, -2);
}

static void streams(void) {
    char line[8] = "";
    FILE *file = _IO_fopen("/dev/null", "r");
    check("_IO_fopen", file != NULL, 1, 0);
    check("_IO_fclose", _IO_fclose(file) == 0, -1, 0);
    FILE *command = _IO_popen("echo word", "r");
    check("_IO_popen", command && fgets(line, sizeof line, command) && strcmp(line, "word\n") == 0, 0, 1);
    check("pclose", pclose(command) == 0, 0, -1);
    const int fd = __open("/dev/null", O_RDONLY);
    file = _IO_fdopen(fd, "r");
    check("_IO_fdopen", file != NULL, 1, 0);
    check("_IO_fclose", _IO_fclose(file) == 0 && fcntl(fd, F_GETFD) == -1, -1, 0);
}

static int closes(void *fd) {
    _exit(close(*(int *)fd));
}

static int ends_well(pid_t pid) {
    int status;
    return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}

/* A copy begins with nothing of its own; a child in the same memory takes nothing away. */
static void children(void) {
    static char stack[64 * 1024] __attribute__((aligned(16)));
    int fd = __open("/dev/null", O_RDONLY);
    check("__open", fd >= 0, 1, 0);
    pid_t pid = __fork();
    if (pid == 0)
        _exit(leaktrack_live_count(LEAKTRACK_FILE) != 0 || __close(fd) != 0);
    check("__fork", ends_well(pid), 0, 0);
    pid = __vfork();
    if (pid == 0)
        closes(&fd);
    check("__vfork", ends_well(pid), 0, 0);
    pid = __clone(closes, stack + sizeof stack, CLONE_VM | CLONE_VFORK | SIGCHLD, &fd);
    check("__clone", ends_well(pid), 0, 0);
    check("__close", __close(fd) == 0, -1, 0);
}

int main(void) {
    if (!leaktrack_live_count) {
        printf("the shim is not preloaded\n");
        return 1;
    }
    files = leaktrack_live_count(LEAKTRACK_FILE);
    pipes = leaktrack_live_count(LEAKTRACK_PIPE);
    umask(0);
    numbers();
    streams();
    children();
    return failures != 0;
}
