/* A heap that may be entered anywhere, by signal handlers and jumped out of: one atomic addition, nothing is ever
 * reused. For tests that interrupt the shim at any instruction; glibc's heap would not survive them. */
#include <errno.h>
#include <malloc.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { HEADER = 16 }; /* holds the size */

static const size_t reserved = (size_t)16 << 30;
static char *memory;
static size_t used;

static void *take(size_t alignment, size_t size) {
    if (!memory) /* the first call comes from the loader, which is alone */
        memory = mmap(NULL, reserved, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED || size > reserved / 4 || alignment > reserved / 4) {
        errno = ENOMEM;
        return NULL;
    }
    size_t room = HEADER + alignment + ((size + 15) & ~(size_t)15);
    uintptr_t start = (uintptr_t)memory + __atomic_fetch_add(&used, room, __ATOMIC_RELAXED) + HEADER;
    start = (start + alignment - 1) & ~(uintptr_t)(alignment - 1);
    if (start + size > (uintptr_t)memory + reserved)
        abort();
    memcpy((char *)start - sizeof size, &size, sizeof size);
    return (void *)start;
}

void *malloc(size_t size) {
    return take(16, size);
}

void *calloc(size_t n, size_t size) {
    size_t bytes;
    if (__builtin_mul_overflow(n, size, &bytes)) {
        errno = ENOMEM;
        return NULL;
    }
    return take(16, bytes);
}

void *realloc(void *block, size_t size) {
    size_t old = 0;
    void *moved = take(16, size);
    if (block)
        memcpy(&old, (char *)block - sizeof old, sizeof old);
    if (moved && block)
        memcpy(moved, block, old < size ? old : size);
    return moved;
}

void free(void *block) {
    (void)block;
}

void *memalign(size_t alignment, size_t size) {
    return take(alignment < 16 ? 16 : alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size) {
    return take(alignment < 16 ? 16 : alignment, size);
}

int posix_memalign(void **block, size_t alignment, size_t size) {
    *block = take(alignment < 16 ? 16 : alignment, size);
    return *block ? 0 : ENOMEM;
}
