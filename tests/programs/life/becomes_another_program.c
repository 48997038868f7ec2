// Leaks, then execs the program of the later arguments by the function that the first one names.
#include "busy.h"

#include <errno.h>
#include <fcntl.h>

extern char **environ;

int main(int argc, char **argv) {
    const char *way = argv[1];
    char **rest = argv + 2;
    if (argc < 3)
        return 2;
    leak_a_thousand();
    if (strcmp(way, "execv") == 0)
        execv(rest[0], rest);
    if (strcmp(way, "execve") == 0)
        execve(rest[0], rest, environ);
    if (strcmp(way, "execvp") == 0)
        execvp(rest[0], rest);
    if (strcmp(way, "execvpe") == 0)
        execvpe(rest[0], rest, environ);
    if (strcmp(way, "execl") == 0)
        execl(rest[0], rest[0], rest[1], rest[2], rest[3], (char *)NULL);
    if (strcmp(way, "execlp") == 0)
        execlp(rest[0], rest[0], rest[1], rest[2], rest[3], (char *)NULL);
    if (strcmp(way, "execle") == 0)
        execle(rest[0], rest[0], rest[1], rest[2], rest[3], (char *)NULL, environ);
    if (strcmp(way, "fexecve") == 0)
        fexecve(open(rest[0], O_RDONLY), rest, environ);
    if (strcmp(way, "execveat") == 0)
        execveat(AT_FDCWD, rest[0], rest, environ, 0);
    perror(way);
    return 96;
}
