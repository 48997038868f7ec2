// LEAKTRACK_KINDS without the heap and most descriptors: what is off is neither recorded nor shown.
//
// kinds: event,file
#include "listing.h"

#include <sys/eventfd.h>
#include <sys/socket.h>

int main(void) {
    int ends[2];
    char *volatile lost = malloc(100);
    open("/etc/passwd", O_RDONLY); // HOLDS 1 file
    lost = malloc(100);
    const int socket_fd = socket(AF_UNIX, SOCK_STREAM, 0);
    dup(socket_fd);
    pipe(ends);
    dup(eventfd(0, 0)); // HOLDS 1 event, 1 event origin=dup
    dup2(ends[0], open("/etc/passwd", O_RDONLY));
    close(ends[0]);
    lost = malloc(100);
    list_descriptors();
    return !lost;
}
