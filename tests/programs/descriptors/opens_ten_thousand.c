// As many open files as the argument says, at one line.
//
// run: 10000
#include "listing.h"

#include <sys/resource.h>

int main(int argc, char **argv) {
    const int count = argc > 1 ? atoi(argv[1]) : 0;
    const struct rlimit limit = {20000, 20000};
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
        return 77;
    for (int i = 0; i < count; i++)
        need(open("/etc/passwd", O_RDONLY) >= 0, "open"); // HOLDS n file
    list_descriptors();
    return 0;
}
