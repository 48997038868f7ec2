// Timers by their number, deleted or not; a second deletion fails and changes nothing.
#include <signal.h>
#include <stdlib.h>
#include <time.h>

static timer_t create(void) {
    timer_t timer;
    struct sigevent none = {.sigev_notify = SIGEV_NONE};
    if (timer_create(CLOCK_MONOTONIC, &none, &timer) != 0) // LEAK count=3 bytes=0
        exit(1);
    return timer;
}

int main(void) {
    timer_t timers[5];
    for (int i = 0; i < 5; i++)
        timers[i] = create();
    if (timer_delete(timers[1]) != 0 || timer_delete(timers[3]) != 0 || timer_delete(timers[3]) == 0)
        return 2;
    if (timer_create(9999, NULL, &timers[1]) == 0)
        return 3;
    return 0;
}
