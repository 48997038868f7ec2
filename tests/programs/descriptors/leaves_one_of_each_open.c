// Every way to come by a descriptor, and none is closed.
#include "listing.h"

#include <dirent.h>
#include <pty.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>

int main(void) {
    int fds[2], terminal, program;
    char name[] = "one-XXXXXX";
    sigset_t none;
    sigemptyset(&none);
    mkfifo("fifo", 0600);
    open("/etc/passwd", O_RDONLY);                          // HOLDS 1 file
    open64("/etc/passwd", O_RDONLY | O_CLOEXEC);            // HOLDS 1 file
    (void)openat(AT_FDCWD, "made", O_RDWR | O_CREAT, 0600); // HOLDS 1 file
    open("/etc", O_RDONLY);                                 // HOLDS 1 directory
    open("/etc", O_RDONLY | O_DIRECTORY);                   // HOLDS 1 directory
    open("fifo", O_RDWR);                                   // HOLDS 1 pipe
    open(".", O_RDWR | O_TMPFILE, 0600);                    // HOLDS 1 file
    creat("made", 0600);                                    // HOLDS 1 file
    mkstemp(name);                                          // HOLDS 1 file
    memfd_create("ours", 0);                                // HOLDS 1 file
    fopen("made", "r");                                     // HOLDS 1 file via=stream
    tmpfile();                                              // HOLDS 1 file via=stream
    opendir("/etc");                                        // HOLDS 1 directory via=directory
    popen("sleep 0", "r");                                  // HOLDS 1 pipe via=stream
    socket(AF_INET, SOCK_STREAM, 0);                        // HOLDS 1 socket
    socketpair(AF_UNIX, SOCK_STREAM, 0, fds);               // HOLDS 2 socket
    pipe(fds);                                              // HOLDS 2 pipe
    pipe2(fds, O_CLOEXEC);                                  // HOLDS 2 pipe
    epoll_create1(0);                                       // HOLDS 1 event
    eventfd(3, 0);                                          // HOLDS 1 event
    timerfd_create(CLOCK_MONOTONIC, 0);                     // HOLDS 1 event
    signalfd(-1, &none, 0);                                 // HOLDS 1 event
    inotify_init();                                         // HOLDS 1 event
    posix_openpt(O_RDWR | O_NOCTTY);                        // HOLDS 1 file
    openpty(&terminal, &program, NULL, NULL, NULL);         // HOLDS 2 file
    list_descriptors();
    return 0;
}
