// A timer's handler allocates and jumps out by siglongjmp, thousands of times, while snapshots run.
#include "busy.h"

#include <setjmp.h>
#include <signal.h>
#include <sys/time.h>

static sigjmp_buf home;
static volatile sig_atomic_t jumps, armed;

static void handle(int number) {
    (void)number;
    if (armed) {
        armed = 0;
        siglongjmp(home, 1);
    }
}

int main(void) {
    const struct itimerval every = {{0, 200}, {0, 200}};
    const long end = now_ms() + 2300;
    signal(SIGALRM, handle);
    setitimer(ITIMER_REAL, &every, NULL);
    while (now_ms() < end) {
        if (sigsetjmp(home, 1) == 0) {
            volatile double x = 1;
            for (armed = 1; armed;)
                x = x * 1.5;
        }
        jumps++;
        free(malloc(10));
    }
    const struct itimerval never = {{0, 0}, {0, 0}};
    setitimer(ITIMER_REAL, &never, NULL);
    leak_a_thousand();
    puts(jumps > 100 ? "jumped" : "too slow");
    return 0;
}
