// Closes all there is, in the way of the argument, and opens one file: it is what is left.
//
// run: 3 loop
// run: 3 close_range
// run: 3 closefrom
// run: 3 streams
// run: 0 loop
// run: 0 close_range
// run: 0 closefrom
// misuses: any
#include "listing.h"

#include <sys/eventfd.h>

int main(int argc, char **argv) {
    need(argc > 2, "arguments");
    const int first = atoi(argv[1]);
    FILE *closed_with_the_rest = fopen("/etc/passwd", "r");
    need(closed_with_the_rest && eventfd(0, 0) > 0 && dup2(0, 700) == 700, "open");
    if (strcmp(argv[2], "loop") == 0)
        for (int fd = first; fd < 4096; fd++)
            close(fd);
    else if (strcmp(argv[2], "streams") == 0)
        for (int fd = first; fd < 4096; fd++) {
            FILE *stream = fdopen(fd, "r");
            need(!stream || fd < 900, "a stream over a number that is not the program's");
            if (stream)
                fclose(stream);
        }
    else if (strcmp(argv[2], "close_range") == 0)
        need(close_range((unsigned)first, ~0u, 0) == 0, "close_range");
    else
        closefrom(first);
    open("/etc/group", O_RDONLY); // HOLDS 1 file
    list_descriptors();
    return 0;
}
