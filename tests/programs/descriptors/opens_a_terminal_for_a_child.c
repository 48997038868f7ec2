// forkpty(): the parent holds the terminal, the child's standard streams are its other end.
//
// dumps: 2
#include "listing.h"

#include <pty.h>
#include <sys/wait.h>

int main(void) {
    int terminal, status;
    const pid_t pid = forkpty(&terminal, NULL, NULL, NULL); // HOLDS 1 file, 3 file origin=dup
    need(pid >= 0, "forkpty");
    if (pid > 0)
        need(waitpid(pid, &status, 0) == pid && status == 0, "child");
    open("/etc/group", O_RDONLY); // HOLDS 2 file
    list_descriptors();
    return 0;
}
