// daemon(): a child that holds what its parent had opened, with other standard streams or the same.
//
// run: 0
// run: 1
#include "listing.h"

int main(int argc, char **argv) {
    const int keep = argc > 1 && atoi(argv[1]);
    open("/etc/passwd", O_RDONLY);
    need(daemon(1, keep) == 0, "daemon"); // HOLDS (1-n)*3 file origin=dup
    open("/etc/group", O_RDONLY);         // HOLDS 1 file
    list_descriptors();
    return 0;
}
