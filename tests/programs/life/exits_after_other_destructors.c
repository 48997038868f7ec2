// What a library's destructor frees is no leak: the last snapshot comes after it. Argument: "thread" exits from a
// thread.
#include "busy.h"

#include <pthread.h>

void *library_that_frees_at_the_end(void);

static void *exit_from_here(void *unused) {
    exit(0);
    return unused;
}

int main(int argc, char **argv) {
    pthread_t thread;
    sink = library_that_frees_at_the_end();
    leak_a_thousand();
    if (argc > 1 && strcmp(argv[1], "thread") == 0) {
        pthread_create(&thread, NULL, exit_from_here, NULL);
        pthread_join(thread, NULL);
    }
    return 0;
}
