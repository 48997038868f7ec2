// The program's own malloc maps and unmaps with its lock held, in two threads, for longer than it takes until a
// snapshot is due. A helper thread would need that malloc: none may be made then.
// env: LEAKTRACK_KINDS=mapping
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum { HEAD = 64, PAGE = 4096, LARGE = 16 * PAGE };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char early[1 << 16];
static size_t early_used;

void *malloc(size_t size) {
    char *block = NULL;
    pthread_mutex_lock(&lock);
    if (size < LARGE && early_used + size + HEAD <= sizeof early) {
        block = early + early_used;
        early_used += (size + HEAD - 1) / HEAD * HEAD;
    } else {
        const int access = PROT_READ | PROT_WRITE, flags = MAP_PRIVATE | MAP_ANONYMOUS;
        block = mmap(NULL, size + HEAD, access, flags, -1, 0); // LEAK count=1 bytes=69632
        *(size_t *)block = size + HEAD;
        block += HEAD;
    }
    pthread_mutex_unlock(&lock);
    return block;
}

void free(void *pointer) {
    char *block = pointer;
    if (!block || (block >= early && block < early + sizeof early))
        return;
    pthread_mutex_lock(&lock);
    munmap(block - HEAD, *(size_t *)(block - HEAD));
    pthread_mutex_unlock(&lock);
}

void *calloc(size_t count, size_t size) {
    return malloc(count * size); // new pages, and the early ones, are zero
}

void *realloc(void *old, size_t size) {
    void *block = malloc(size);
    if (old)
        memcpy(block, old, size); // large enough here, and never called
    free(old);
    return block;
}

static void *work(void *until) {
    struct timespec now;
    do {
        for (int i = 0; i < 200; i++)
            free(malloc(LARGE));
        clock_gettime(CLOCK_MONOTONIC, &now);
    } while (now.tv_sec * 10 + now.tv_nsec / 100000000 < *(long *)until);
    return NULL;
}

int main(void) {
    struct timespec now;
    pthread_t threads[2];
    clock_gettime(CLOCK_MONOTONIC, &now);
    long until = now.tv_sec * 10 + now.tv_nsec / 100000000 + 13; // tenths of a second
    for (int i = 0; i < 2; i++)
        pthread_create(&threads[i], NULL, work, &until);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    return malloc(LARGE) == NULL;
}
