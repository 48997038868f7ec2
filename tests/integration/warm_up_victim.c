/* Takes blocks and a descriptor from one function at once, and again after each line of its input: of which belongs to
 * the warm-up the test decides by when it writes. Says "ready" each time. */
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

static void *volatile kept;

static void leak(int blocks) {
    for (int i = 0; i < blocks; i++)
        kept = malloc(100);
    if (open("/dev/null", O_RDONLY) < 0)
        abort();
}

static void *leak_in_a_thread(void *unused) {
    leak(3);
    return unused;
}

int main(void) {
    char line;
    pthread_t thread;
    leak(1000);
    while (write(1, "ready\n", 6) == 6 && read(0, &line, 1) == 1) {
        leak(5);
        if (pthread_create(&thread, NULL, leak_in_a_thread, NULL))
            abort();
        pthread_join(thread, NULL);
    }
    return 0;
}
