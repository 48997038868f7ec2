// dup and its like: a number over a live one, the same number, numbers that fail, and what is over the standard
// streams.
#include "listing.h"

#include <sys/eventfd.h>

int main(void) {
    const int event = eventfd(0, 0), file = open("/etc/passwd", O_RDONLY); // HOLDS 1 file
    dup(file);                                                             // HOLDS 1 file origin=dup
    fcntl(event, F_DUPFD, 50);                                             // HOLDS 1 event origin=dup
    fcntl(event, F_DUPFD_CLOEXEC, 50);                                     // HOLDS 1 event origin=dup
    need(dup2(file, event) == event, "dup2");                              // HOLDS 1 file origin=dup
    need(dup2(file, file) == file, "dup2");
    need(dup2(999, file) == -1 && dup3(file, file, 0) == -1, "dup2 that fails");
    need(dup3(event, 90, O_CLOEXEC) == 90, "dup3"); // HOLDS 1 file origin=dup
    need(dup2(file, 0) == 0, "dup2");               // HOLDS 1 file origin=dup
    dup(2);                                         // HOLDS 1 pipe origin=dup
    list_descriptors();
    return 0;
}
