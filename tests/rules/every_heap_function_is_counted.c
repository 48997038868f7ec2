/* What each heap function adds to, or takes from, the number of live blocks that the library knows; failures and
 * corners included. Run under the shim only. */
#include "leaktrack.h"

#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

__asm__(".symver cfree, cfree@GLIBC_2.2.5"); /* of programs linked before glibc 2.26 */
void cfree(void *);
void free_sized(void *, size_t) __attribute__((weak));
void free_aligned_sized(void *, size_t, size_t) __attribute__((weak));

static const volatile size_t huge = (size_t)PTRDIFF_MAX + 1, half = SIZE_MAX / 2;
static void *(*const volatile resize)(void *, size_t) = realloc;
static void *(*const volatile resize_array)(void *, size_t, size_t) = reallocarray;
static int64_t live;
static int failures;

/* The number of live blocks has changed by `change` since the last call. */
static void changed(const char *what, int64_t change) {
    int64_t now = leaktrack_live_count(LEAKTRACK_HEAP);
    if (now - live != change) {
        printf("%s: %+lld blocks, expected %+lld\n", what, (long long)(now - live), (long long)change);
        failures++;
    }
    live = leaktrack_live_count(LEAKTRACK_HEAP);
}

static void *acquired(const char *what, void *block) {
    changed(what, 1);
    if (!block) {
        printf("%s: no block\n", what);
        failures++;
    }
    return block;
}

static void failed(const char *what, const void *block) {
    changed(what, 0);
    if (block) {
        printf("%s: did not fail\n", what);
        failures++;
    }
}

static void released(const char *what, void (*release)(void *), void *block) {
    release(block);
    changed(what, -1);
}

static void sized(void *block) {
    free_sized(block, 10);
}

static void aligned_sized(void *block) {
    free_aligned_sized(block, 64, 128);
}

static void by_each(void) {
    void *block;
    released("free", free, acquired("malloc", malloc(10)));
    released("free(0)", free, acquired("malloc(0)", malloc(0)));
    released("cfree", cfree, acquired("calloc", calloc(3, 5)));
    released("free_sized", sized, acquired("malloc", malloc(10)));
    released("free_aligned_sized", aligned_sized, acquired("aligned_alloc", aligned_alloc(64, 128)));
    released("free memalign", free, acquired("memalign", memalign(256, 10)));
    released("free valloc", free, acquired("valloc", valloc(10)));
    released("free pvalloc", free, acquired("pvalloc", pvalloc(10)));
    block = posix_memalign(&block, 32, 10) == 0 ? block : NULL;
    released("free posix_memalign", free, acquired("posix_memalign", block));
    block = strdup("through libc");
    released("free strdup", free, acquired("strdup", block));
    free(NULL);
    changed("free(NULL)", 0);
}

static void by_failures(void) {
    void *block = (void *)&live;
    failed("malloc(huge)", malloc(huge));
    failed("calloc(overflow)", calloc(half, 3));
    failed("reallocarray(NULL, overflow)", resize_array(NULL, half, 3));
    failed("memalign(huge)", memalign(64, huge));
    failed("aligned_alloc(huge)", aligned_alloc(64, huge));
    failed("posix_memalign(3)", posix_memalign(&block, 3, 10) == EINVAL ? NULL : block);
    failed("posix_memalign(huge)", posix_memalign(&block, 64, huge) == ENOMEM ? NULL : block);
    failed("valloc(huge)", valloc(huge));
    failed("pvalloc(huge)", pvalloc(huge));
}

static void by_realloc(void) {
    void *block = acquired("realloc(NULL)", resize(NULL, 10));
    block = resize(block, 1 << 20);
    changed("realloc(grow)", 0);
    block = resize(block, 64 << 20);
    changed("realloc(grow mapped)", 0);
    failed("realloc(huge)", resize(block, huge));
    failed("reallocarray(overflow)", resize_array(block, half, 3));
    block = resize_array(block, 5, 5);
    changed("reallocarray(shrink)", 0);
    if (resize(block, 0))
        printf("realloc(block, 0) gave a block\n");
    changed("realloc(block, 0)", -1);
    block = acquired("realloc(NULL, 0)", resize(NULL, 0));
    released("free(realloc(NULL, 0))", free, block);
}

static void *in_thread(void *block) {
    free(block);
    return malloc(10);
}

static void by_another_thread(void) {
    pthread_t thread;
    void *block = acquired("malloc", malloc(10)), *theirs = NULL;
    if (pthread_create(&thread, NULL, in_thread, block) != 0 || pthread_join(thread, &theirs) != 0)
        failures++;
    free(theirs);
    live = leaktrack_live_count(LEAKTRACK_HEAP); /* the thread's own blocks belong to libc */
    if (live < 0)
        failures++;
}

static void by_the_api(void) {
    static char pool[64] __attribute__((aligned(16)));
    void *block;
    leaktrack_acquire(LEAKTRACK_HEAP, pool, sizeof pool);
    changed("leaktrack_acquire", 1);
    leaktrack_release(LEAKTRACK_HEAP, pool);
    changed("leaktrack_release", -1);
    leaktrack_release(LEAKTRACK_HEAP, pool);
    changed("leaktrack_release again", 0);

    leaktrack_pause();
    leaktrack_pause();
    block = malloc(10);
    leaktrack_resume();
    block = resize(block, 20);
    changed("paused", 0);
    leaktrack_resume();
    leaktrack_resume();
    free(block);
    changed("free of what was never recorded", 0);

    block = acquired("malloc", malloc(10));
    leaktrack_pause();
    free(block);
    changed("free while paused", -1);
    leaktrack_resume();

    block = acquired("malloc", malloc(10));
    leaktrack_ignore(LEAKTRACK_HEAP, block);
    changed("leaktrack_ignore", -1);
    free(block);
    changed("free of what is ignored", 0);

    if (leaktrack_live_count((enum leaktrack_kind)99) != -1 || leaktrack_dump(1) != -EINVAL)
        failures++;
}

int main(void) {
    static char buffer[4096];
    const int at_start = errno; /* C promises 0 */
    setvbuf(stdout, buffer, _IOFBF, sizeof buffer);
    if (!leaktrack_live_count || !free_sized || !free_aligned_sized) {
        printf("the shim is not preloaded\n");
        return 1;
    }
    live = leaktrack_live_count(LEAKTRACK_HEAP);
    by_each();
    by_failures();
    by_realloc();
    by_another_thread();
    by_the_api();
    printf("%d failures, errno %d at start\n", failures, at_start);
    return failures != 0 || at_start != 0;
}
