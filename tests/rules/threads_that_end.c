/* Two thousand threads, sixteen at a time. Each takes blocks, gives some back itself, some in destructors of
 * thread-specific data (which run while the thread is being taken apart, and allocate once more), and leaves the rest
 * to its creator. In the end not one block is live that was not before, and the tables of the dead were used again. Run
 * under the shim only. */
#include "leaktrack.h"

#include <malloc.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BATCHES = 125, THREADS = 16, BLOCKS = 30, ROUNDS_OF_DESTRUCTORS = 3 };

static pthread_key_t key;

struct left {
    int rounds;
    void *blocks[BLOCKS];
};

static void destroy(void *data) {
    struct left *left = data;
    for (int i = 0; i < BLOCKS; i++) {
        free(left->blocks[i]);
        left->blocks[i] = NULL;
    }
    if (++left->rounds < ROUNDS_OF_DESTRUCTORS) {
        left->blocks[0] = strdup("from a destructor");
        pthread_setspecific(key, left);
    } else {
        free(left);
    }
}

static void *live_and_die(void *unused) {
    (void)unused;
    struct left *left = calloc(1, sizeof *left);
    for (int i = 0; i < BLOCKS; i++)
        left->blocks[i] = malloc((size_t)i);
    for (int i = 0; i < BLOCKS; i += 2)
        left->blocks[i] = realloc(left->blocks[i], 100);
    pthread_setspecific(key, left);
    return memalign(64, 100);
}

static bool run_batch(void) {
    pthread_t threads[THREADS];
    void *block;
    for (int i = 0; i < THREADS; i++)
        if (pthread_create(&threads[i], NULL, live_and_die, NULL) != 0)
            return false;
    for (int i = 0; i < THREADS; i++) {
        if (pthread_join(threads[i], &block) != 0)
            return false;
        free(block);
    }
    return true;
}

int main(void) {
    static char buffer[4096];
    setvbuf(stdout, buffer, _IOFBF, sizeof buffer);
    if (!leaktrack_live_count) {
        printf("the shim is not preloaded\n");
        return 1;
    }
    pthread_key_create(&key, destroy);
    /* libc keeps the thread control blocks of some stacks for the next threads: let it have them */
    for (int i = 0; i < 3; i++)
        if (!run_batch())
            return 1;
    int64_t before = leaktrack_live_count(LEAKTRACK_HEAP);
    for (int i = 0; i < BATCHES; i++)
        if (!run_batch())
            return 1;
    int64_t change = leaktrack_live_count(LEAKTRACK_HEAP) - before;
    printf("%+lld live blocks\n", (long long)change);
    return change != 0;
}
