// What stands between the program and a descriptor: fdopen, fdopendir, freopen, dup2 onto a stream's number.
#include "listing.h"

#include <dirent.h>
#include <sys/socket.h>

int main(void) {
    const int socket_fd = socket(AF_UNIX, SOCK_STREAM, 0);         // HOLDS 1 socket via=stream
    const int directory_fd = open("/etc", O_RDONLY | O_DIRECTORY); // HOLDS 1 directory via=directory
    need(fdopen(socket_fd, "r") && fdopendir(directory_fd), "fdopen");
    FILE *closed = fopen("/etc/passwd", "r");
    need(fclose(closed) == 0, "fclose");
    FILE *again = fopen("/etc/passwd", "r");
    need(!!freopen("/etc/group", "r", again), "freopen"); // HOLDS 1 file via=stream
    FILE *lost = fopen("/etc/passwd", "r");
    need(!freopen("/no/such/file", "r", lost), "freopen");
    FILE *over = fopen("/etc/passwd", "r");
    const int other = socket(AF_UNIX, SOCK_STREAM, 0); // HOLDS 1 socket
    need(dup2(other, fileno(over)) >= 0, "dup2");      // HOLDS 1 socket via=stream origin=dup
    DIR *gone = opendir("/etc");
    need(closedir(gone) == 0, "closedir");
    FILE *command = popen("exit 0", "w");
    need(pclose(command) == 0, "pclose");
    list_descriptors();
    return 0;
}
