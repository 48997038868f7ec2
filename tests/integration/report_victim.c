/* A program to ask and to compare. report_victim COUNT [idle|busy]: leaks COUNT blocks of 100 bytes from each of two
 * functions, says "ready", and then ends, sleeps, or goes on working until its input ends. Built twice: with VERSION 2
 * its lines have moved, one function leaks more and another is new. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void *volatile kept;

#if VERSION > 1
static int twice(int count) {
    return 2 * count;
}

static void leak_anew(int count) {
    for (int i = 0; i < count; i++)
        kept = malloc(50);
}
#endif

static void leak_steadily(int count) {
    for (int i = 0; i < count; i++)
        kept = malloc(100);
}

static void leak_more(int count) {
#if VERSION > 1
    count = twice(count);
#endif
    for (int i = 0; i < count; i++)
        kept = malloc(100);
}

static int input_ended(int wait_ms) {
    struct pollfd input = {.fd = 0, .events = POLLIN};
    return poll(&input, 1, wait_ms) > 0;
}

int main(int argc, char **argv) {
    int count = argc > 1 ? atoi(argv[1]) : 0;
    const char *then = argc > 2 ? argv[2] : "";
    leak_steadily(count);
    leak_more(count);
#if VERSION > 1
    leak_anew(count);
#endif
    if (write(1, "ready\n", 6) < 0)
        return 1;
    if (strcmp(then, "idle") == 0)
        return !input_ended(-1);
    while (strcmp(then, "busy") == 0 && !input_ended(1)) {
        for (int i = 0; i < 100; i++) {
            kept = malloc(10);
            free(kept);
        }
    }
    return 0;
}
