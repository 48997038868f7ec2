// Raw system calls: what they open is unattributed, what they close has vanished, and a number that is handed out again
// has the new holder.
//
// unattributed: 1
// vanished: 1
// untracked: yes
#include "listing.h"

int main(void) {
    int fds[3];
    fds[0] = open("/etc/passwd", O_RDONLY);
    fds[1] = open("/etc/passwd", O_RDONLY);
    fds[2] = open("/etc/passwd", O_RDONLY); // HOLDS 1 file
    syscall(SYS_close, fds[0]);
    need(open("/etc/group", O_RDONLY) == fds[0], "the lowest number"); // HOLDS 1 file
    const int unseen = (int)syscall(SYS_openat, AT_FDCWD, "/etc/hostname", O_RDONLY);
    fcntl(unseen, F_DUPFD, 70); // HOLDS 1 file origin=dup
    syscall(SYS_close, fds[1]);
    list_descriptors();
    return 0;
}
