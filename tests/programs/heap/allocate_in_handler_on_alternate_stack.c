// raise() delivers at a point where malloc is safe: the handler, on a sigaltstack, leaks through its own signal frame.
#include <signal.h>
#include <stdlib.h>

static void *volatile sink;
static char stack[64 * 1024];

static void handle(int number) {
    (void)number;
    sink = malloc(55); // LEAK count=10 bytes=550
}

int main(void) {
    stack_t alternate = {.ss_sp = stack, .ss_size = sizeof stack};
    sigaltstack(&alternate, NULL);
    struct sigaction action = {.sa_handler = handle, .sa_flags = SA_ONSTACK};
    sigaction(SIGUSR1, &action, NULL);
    for (int i = 0; i < 10; i++)
        raise(SIGUSR1);
    return 0;
}
