// Forks children that hold 100, 200, 300 ... blocks of 10 bytes and exit at once, one after the other. Argument: how
// many.
#include "busy.h"

#include <sys/wait.h>

static __attribute__((noinline)) void hold(int blocks) {
    for (int i = 0; i < blocks; i++)
        sink = malloc(10);
}

int main(int argc, char **argv) {
    const int children = argc > 1 ? atoi(argv[1]) : 10;
    leak_a_thousand();
    for (int i = 1; i <= children; i++) {
        int status = -1;
        const pid_t pid = fork();
        if (pid == 0) {
            hold(100 * (i % 7 + 1)); // the sixth holds the most
            exit(0);
        }
        if (waitpid(pid, &status, 0) != pid || status != 0)
            return 1;
    }
    return 0;
}
