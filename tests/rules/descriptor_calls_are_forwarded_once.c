/* As many rounds of opening and closing as the argument says; descriptor_calls_are_forwarded_once.sh counts the system
 * calls. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int argc, char **argv) {
    int ends[2];
    for (int i = argc > 1 ? atoi(argv[1]) : 0; i > 0; i--) {
        const int file = open("/", O_RDONLY | O_CLOEXEC), copy = dup(file);
        if (pipe2(ends, O_CLOEXEC) != 0 || dup2(file, copy) != copy || fcntl(copy, F_GETFD) != 0)
            return 1;
        close(socket(AF_UNIX, SOCK_STREAM, 0));
        close(eventfd(0, 0));
        close(ends[0]);
        close(ends[1]);
        close(copy);
        close(file);
    }
    return 0;
}
