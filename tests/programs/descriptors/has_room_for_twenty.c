// RLIMIT_NOFILE 20: opens until no number is left, and closes one of them.
#include "listing.h"

#include <errno.h>
#include <sys/resource.h>

int main(void) {
    const struct rlimit limit = {20, 20};
    int last = -1;
    need(setrlimit(RLIMIT_NOFILE, &limit) == 0, "setrlimit");
    for (int fd; (fd = open("/etc/passwd", O_RDONLY)) >= 0;)
        last = fd;
    need(errno == EMFILE && last >= 15, "open");
    need(close(last) == 0, "close");
    list_descriptors();
    return 0;
}
