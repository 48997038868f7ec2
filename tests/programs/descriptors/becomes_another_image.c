// exec: what is not close-on-exec comes along, and is inherited.
#include "listing.h"

int main(int argc, char **argv) {
    if (argc > 1) {
        open("/etc/passwd", O_RDONLY); // HOLDS 1 file
        list_descriptors();
        return 0;
    }
    open("/etc/group", O_RDONLY); // another file: clang makes one call of two that are equal
    open("/etc/group", O_RDONLY | O_CLOEXEC);
    execl("/proc/self/exe", argv[0], "again", NULL);
    return 99;
}
