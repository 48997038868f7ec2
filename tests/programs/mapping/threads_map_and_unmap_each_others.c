// Mappings travel from thread to thread; the addresses are used again at once. Nothing is left but what is marked.
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>

enum { THREADS = 4, ROUNDS = 2000, SLOTS = 64, PAGE = 4096 };

static _Atomic(char *) slots[SLOTS];

static char *map(void) {
    return mmap(NULL, 3 * PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0); // LEAK count=64 bytes=786432
}

static void *work(void *number) {
    unsigned seed = (unsigned)(long)number;
    for (int i = 0; i < ROUNDS; i++) {
        char *mine = map(), *old = atomic_exchange(&slots[rand_r(&seed) % SLOTS], mine);
        for (int page = 3; old && page > 0; page--) // the middle first: two pieces for a moment
            munmap(old + (page + 1) % 3 * PAGE, PAGE);
    }
    return NULL;
}

int main(void) {
    pthread_t threads[THREADS];
    for (long i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, work, (void *)(i + 1));
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < SLOTS; i++)
        if (!slots[i])
            slots[i] = map();
    return 0;
}
