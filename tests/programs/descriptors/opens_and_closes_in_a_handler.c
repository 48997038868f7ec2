// A signal handler that opens, duplicates and closes, and comes at any place of a program that does the same. What it
// opens while it interrupts the library is not recorded; what it closes is.
//
// untracked: yes
#include "listing.h"

#include <errno.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/time.h>

static volatile int given = -1, ticks;

static void handle(int signal) {
    const int saved = errno;
    (void)signal;
    const int file = open("/etc/passwd", O_RDONLY), copy = dup(file);
    dup2(file, 800);
    if (given >= 0)
        close(given); // the program's
    given = -1;
    close(copy);
    close(file);
    close(800);
    ticks++;
    errno = saved;
}

int main(void) {
    const struct itimerval often = {{0, 300}, {0, 300}};
    struct sigaction action = {.sa_handler = handle};
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &often, NULL);
    while (ticks < 1000) {
        const int event = eventfd(0, 0);
        errno = 77;
        close(dup(event));
        need(errno == 77, "errno");
        dup2(event, 700);
        if (given < 0)
            given = event;
        else
            close(event);
    }
    setitimer(ITIMER_REAL, &(struct itimerval){0}, NULL);
    if (given >= 0)
        close(given);
    close(700);
    open("/etc/passwd", O_RDONLY); // HOLDS 1 file
    list_descriptors();
    return 0;
}
