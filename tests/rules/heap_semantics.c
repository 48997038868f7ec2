/* Prints what every heap function does in every corner that its manual page, or glibc's source, names: result, errno,
 * alignment, usable size, contents. The test runs it without and with the shim, and compares the two texts. No address
 * is printed. */
#include <errno.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KEPT = 4242 }; /* an errno that nobody sets: a call that succeeds must leave it */

/* The compiler must not know what they are, or it warns of just what is tested. */
static const volatile size_t huge = (size_t)PTRDIFF_MAX + 1, half = SIZE_MAX / 2, most = SIZE_MAX;
static void *(*const volatile resize)(void *, size_t) = realloc;
static void *(*const volatile resize_array)(void *, size_t, size_t) = reallocarray;

__asm__(
    ".symver old_cfree, cfree@GLIBC_2.2.5"); /* not in the headers, nor for new programs to link, since glibc 2.26 */
void old_cfree(void *);

static unsigned alignment_of(const void *block) {
    return block ? 1u << (__builtin_ctzll((uintptr_t)block) < 16 ? __builtin_ctzll((uintptr_t)block) : 16) : 0;
}

/* A block may be aligned better than asked by chance: say only whether it is aligned as asked. */
static void *show(const char *what, void *block, size_t alignment) {
    int error = errno;
    printf("%-28s %s errno %d usable %zu aligned %s\n", what, block ? "block" : "NULL", error,
           malloc_usable_size(block), alignment_of(block) >= alignment || !block ? "yes" : "no");
    errno = KEPT;
    return block;
}

static void show_status(const char *what, int status, const void *block) {
    int error = errno;
    printf("%-28s status %d errno %d %s\n", what, status, error, block ? "block" : "NULL");
    errno = KEPT;
}

static void release(const char *what, void (*how)(void *), void *block) {
    errno = KEPT;
    how(block);
    printf("%-28s errno %d\n", what, errno);
    errno = KEPT;
}

static bool holds(const unsigned char *block, size_t size, unsigned char byte) {
    for (size_t i = 0; i < size; i++)
        if (block[i] != byte)
            return false;
    return true;
}

static void plain(void) {
    release("free(malloc(0))", free, show("malloc(0)", malloc(0), 16));
    release("free(malloc(37))", free, show("malloc(37)", malloc(37), 16));
    release("free(malloc(1 MiB))", free, show("malloc(1 MiB)", malloc(1 << 20), 16));
    show("malloc(huge)", malloc(huge), 16);
    show("malloc(most)", malloc(most), 16);
    release("free(NULL)", free, NULL);
    release("cfree(malloc(5))", old_cfree, malloc(5));
    release("cfree(NULL)", old_cfree, NULL);
}

static void zeroed(void) {
    unsigned char *block = malloc(1000);
    memset(block, 7, 1000);
    free(block);
    errno = KEPT;
    block = show("calloc(10, 100)", calloc(10, 100), 16);
    printf("zeroed %d\n", holds(block, 1000, 0));
    release("free(calloc)", free, block);
    release("free(calloc(0, 5))", free, show("calloc(0, 5)", calloc(0, 5), 16));
    release("free(calloc(5, 0))", free, show("calloc(5, 0)", calloc(5, 0), 16));
    show("calloc(overflow)", calloc(half, 3), 16);
    show("calloc(huge, 1)", calloc(huge, 1), 16);
}

static void resized(size_t small, size_t large) {
    printf("from %zu to %zu\n", small, large);
    unsigned char *block = show("realloc(NULL, small)", resize(NULL, small), 16);
    memset(block, 9, small);
    block = show("realloc(grow)", resize(block, large), 16);
    printf("contents %d\n", holds(block, small, 9));
    show("realloc(huge)", resize(block, huge), 16);
    printf("kept %d\n", holds(block, small, 9));
    show("reallocarray(overflow)", resize_array(block, half, 3), 16);
    show("reallocarray(huge)", resize_array(block, 1, huge), 16);
    printf("kept %d\n", holds(block, small, 9));
    block = show("reallocarray(shrink)", resize_array(block, small, 1), 16);
    printf("contents %d\n", holds(block, small, 9));
    show("realloc(block, 0)", resize(block, 0), 16);
    block = show("realloc(NULL, 0)", resize(NULL, 0), 16);
    show("reallocarray(block, 0, 5)", resize_array(block, 0, 5), 16);
}

static void aligned_by(size_t alignment) {
    void *block = (void *)(uintptr_t)&huge;
    printf("alignment %zu\n", alignment);
    release("free(memalign)", free, show("memalign", memalign(alignment, 100), alignment));
    release("free(aligned_alloc)", free, show("aligned_alloc", aligned_alloc(alignment, 100), alignment));
    show("memalign(huge)", memalign(alignment, huge), alignment);
    show("aligned_alloc(huge)", aligned_alloc(alignment, huge), alignment);
    show_status("posix_memalign", posix_memalign(&block, alignment, 100), block);
    if (block == (void *)(uintptr_t)&huge)
        printf("result untouched\n");
    else
        release("free(posix_memalign)", free, block);
    block = NULL;
    show_status("posix_memalign(huge)", posix_memalign(&block, alignment, huge), block);
    show_status("posix_memalign(0 bytes)", posix_memalign(&block, alignment, 0), block);
    if (block)
        release("free(posix_memalign 0)", free, block);
}

static void by_page(void) {
    release("free(valloc)", free, show("valloc(100)", valloc(100), 4096));
    release("free(valloc 0)", free, show("valloc(0)", valloc(0), 4096));
    release("free(pvalloc)", free, show("pvalloc(100)", pvalloc(100), 4096));
    release("free(pvalloc 0)", free, show("pvalloc(0)", pvalloc(0), 4096));
    show("valloc(huge)", valloc(huge), 4096);
    show("pvalloc(huge)", pvalloc(huge), 4096);
    show("pvalloc(most)", pvalloc(most), 4096);
}

/* Through functions that allocate inside libc. */
static void through_libc(void) {
    char *line = NULL, *text;
    size_t size = 0;
    FILE *memory = fmemopen((void *)(uintptr_t) "one\ntwo\n", 8, "r");
    while (getline(&line, &size, memory) > 0)
        printf("line %s", line);
    fclose(memory);
    free(line);
    printf("asprintf %d\n", asprintf(&text, "%s %d", strdup("never freed"), 5));
    printf("%s\n", text);
    free(text);
}

int main(void) {
    static char buffer[1 << 16];
    static const size_t alignments[] = {0, 1, 2, 3, 8, 16, 24, 32, 64, 4096, 1 << 16, (size_t)1 << 63, SIZE_MAX};
    setvbuf(stdout, buffer, _IOFBF, sizeof buffer);
    errno = KEPT;
    plain();
    zeroed();
    resized(10, 1000);
    resized(100, 2 << 20);
    resized(1 << 20, 5 << 20);
    for (size_t i = 0; i < sizeof alignments / sizeof alignments[0]; i++)
        aligned_by(alignments[i]);
    by_page();
    through_libc();
    return 0;
}
