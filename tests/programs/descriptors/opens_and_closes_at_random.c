// Threads that open, duplicate and close at random for as many seconds as the argument says, on numbers of their own
// and on some that they share, which one thread may get while another has just given it back: at the standstill the
// table is what the kernel lists.
//
// run: 2
// misuses: any
// untracked: yes
#include "listing.h"

#include <dirent.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>

enum { THREADS = 4, HELD = 40, SHARED_FIRST = 900, SHARED = 8 };

static atomic_int over;

static int some_descriptor(unsigned *seed, const int *held) {
    int ends[2];
    switch (rand_r(seed) % 9) {
    case 0:
        return open("/etc/passwd", O_RDONLY);
    case 1:
        return socket(AF_UNIX, SOCK_DGRAM, 0);
    case 2:
        return eventfd(0, 0);
    case 3:
        return epoll_create1(0);
    case 4:
        return pipe(ends) == 0 && close(ends[0]) == 0 ? ends[1] : -1;
    case 5:
        return fcntl(held[rand_r(seed) % HELD], F_DUPFD, rand_r(seed) % 600);
    case 6:
        return open("/etc", O_RDONLY | O_DIRECTORY);
    default:
        return dup(held[rand_r(seed) % HELD]);
    }
}

static void pass_by(unsigned *seed) {
    FILE *stream = rand_r(seed) % 2 ? fopen("/etc/passwd", "r") : NULL;
    DIR *directory = rand_r(seed) % 2 ? opendir("/etc") : NULL;
    if (stream)
        fclose(stream);
    if (directory)
        closedir(directory);
}

static void *work(void *number) {
    unsigned seed = (unsigned)(size_t)number;
    int held[HELD];
    memset(held, -1, sizeof held);
    while (!atomic_load(&over)) {
        int *one = &held[rand_r(&seed) % HELD];
        if (rand_r(&seed) % 8 == 0)
            pass_by(&seed);
        if (*one >= 0 && rand_r(&seed) % 8 == 0)
            dup2(*one, held[rand_r(&seed) % HELD]);
        if (*one >= 0 && rand_r(&seed) % 16 == 0)
            dup2(*one, SHARED_FIRST + rand_r(&seed) % SHARED);
        if (*one >= 0)
            need(close(*one) == 0, "close");
        *one = some_descriptor(&seed, held);
    }
    return NULL;
}

int main(int argc, char **argv) {
    pthread_t threads[THREADS];
    const struct timespec seconds = {argc > 1 ? atoi(argv[1]) : 1, 0};
    for (size_t i = 0; i < THREADS; i++)
        need(pthread_create(&threads[i], NULL, work, (void *)(i + 1)) == 0, "pthread_create");
    nanosleep(&seconds, NULL);
    atomic_store(&over, 1);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < SHARED;
         i++) // two threads that replaced one number at once leave it open which of them was last
        close(SHARED_FIRST + i);
    list_descriptors();
    return 0;
}
