/* A piece of a test in a process of its own: because it changes limits, signals or the arena of its process, or because
 * it might be killed. In such a piece CHILD_CHECK takes the place of cmocka's assertions. */
#ifndef LT_TESTS_UNIT_CHILD_H
#define LT_TESTS_UNIT_CHILD_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHILD_CHECK(condition)                                                                                         \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);                                    \
            _exit(1);                                                                                                  \
        }                                                                                                              \
    } while (0)

/* Runs `body` in a forked child; whether it came to its end and no check failed. */
static inline bool child_passes(void (*body)(void)) {
    int status;
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        body();
        _exit(0);
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid)
        return false;
    if (WIFSIGNALED(status))
        fprintf(stderr, "child killed by %s\n", strsignal(WTERMSIG(status)));
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

#define assert_child_passes(body) assert_true(child_passes(body))

#endif
