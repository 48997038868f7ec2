// Misuses: a second close, and the close of what a FILE or DIR stands on. A sweep over numbers that nobody ever had is
// none, nor is a child's that closes all it has inherited.
//
// dumps: 2
#include "listing.h"

#include <dirent.h>
#include <sys/wait.h>

int main(void) {
    const int twice = open("/etc/passwd", O_RDONLY);
    for (int i = 0; i < 3; i++)
        close(twice); // MISUSE 2 not open
    FILE *stream = fopen("/etc/passwd", "r");
    DIR *directory = opendir("/etc");
    close(fileno(stream));   // MISUSE 1 stream
    close(dirfd(directory)); // MISUSE 1 directory
    for (int fd = 100; fd < 1000; fd++)
        close(fd);
    FILE *inherited = fopen("/etc/group", "r"); // HOLDS 1 file via=stream
    const pid_t pid = fork();
    if (pid == 0) {
        for (int fd = 3; fd < 1000; fd++)
            close(fd);
        char *mine = malloc(10);
        memset(mine, 0, 10);
        dup(1); // HOLDS 1 pipe origin=dup
        list_descriptors();
        _exit(0);
    }
    int status;
    need(waitpid(pid, &status, 0) == pid && status == 0 && inherited, "child");
    list_descriptors();
    return 0;
}
