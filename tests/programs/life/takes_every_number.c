// Puts a descriptor of its own at every number up to 1100, the library's among them, writes through each, and closes
// them all.
#include "busy.h"

#include <fcntl.h>
#include <sys/resource.h>

int main(void) {
    struct rlimit limit = {2048, 2048};
    leak_a_thousand();
    setrlimit(RLIMIT_NOFILE, &limit);
    const int file = open("own", O_RDWR | O_CREAT | O_TRUNC, 0600);
    for (int fd = file + 1; fd < 1100; fd++)
        if ((fd % 2 ? dup2(file, fd) : dup3(file, fd, O_CLOEXEC)) != fd)
            die("dup2");
    for (int fd = file; fd < 1100; fd++)
        if (write(fd, "x", 1) != 1)
            die("write");
    work_ms(1100);
    for (int fd = file; fd < 1100; fd++)
        if (close(fd) != 0)
            die("close");
    work_ms(1100);
    return 0;
}
