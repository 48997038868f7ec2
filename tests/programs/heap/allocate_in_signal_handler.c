// A handler allocates and frees while the program does; nothing may be lost but what is counted.
// untracked: yes
#include <signal.h>
#include <stdlib.h>
#include <sys/time.h>

static volatile int rounds;

static void handle(int number) {
    (void)number;
    rounds++;
}

int main(void) {
    struct sigaction action = {.sa_handler = handle};
    sigaction(SIGALRM, &action, NULL);
    struct itimerval timer = {{0, 500}, {0, 500}};
    setitimer(ITIMER_REAL, &timer, NULL);
    for (int i = 0; i < 3000000 && rounds < 200; i++)
        free(malloc(100));
    timer = (struct itimerval){{0, 0}, {0, 0}};
    setitimer(ITIMER_REAL, &timer, NULL);
    return 0;
}
