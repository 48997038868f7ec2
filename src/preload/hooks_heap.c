/* The heap hooks. HOT PATH: no malloc, no lock, no system call, errno as the real function left it.
 *
 *     acquire   real call first, then record: nobody else can be given the address meanwhile
 *     release   record first, then the real call: afterwards the address may already be another thread's
 *     resize    mark the entry, real call, then release and acquire, or put back
 *
 * cfree and the sized frees do nothing that free does not, and reallocarray nothing that realloc does not; glibc's even
 * calls realloc through its PLT, which would come back here. So they are made of the same two pieces. */
#include "preload/event.h"
#include "preload/hooks.h"
#include "preload/real.h"

#include <errno.h>

static LT_ALWAYS_INLINE void *acquired(void *block, size_t size, const struct lt_regs *caller) {
    lt_event_acquired(LT_KIND_HEAP, block, size, caller);
    return block;
}

/* NULL for size 0 is a release (glibc), any other NULL a failure that leaves the block as it was. */
static LT_ALWAYS_INLINE void *resized(void *block, size_t size, const struct lt_regs *caller) {
    struct lt_move move = lt_event_move_begin(LT_KIND_HEAP, block);
    void *moved = LT_REAL(realloc)(block, size);
    lt_event_move_end(LT_KIND_HEAP, &move, moved || size == 0);
    return acquired(moved, size, caller);
}

static LT_ALWAYS_INLINE void released(void *block) {
    lt_event_released(LT_KIND_HEAP, block);
    LT_REAL(free)(block);
}

void *malloc(size_t size) {
    const struct lt_regs caller = LT_CALLER;
    return acquired(LT_REAL(malloc)(size), size, &caller);
}

void free(void *block) {
    released(block);
}

void *calloc(size_t count, size_t size) {
    const struct lt_regs caller = LT_CALLER;
    return acquired(LT_REAL(calloc)(count, size), count * size, &caller); /* no overflow, or there is no block */
}

void *realloc(void *block, size_t size) {
    const struct lt_regs caller = LT_CALLER;
    return resized(block, size, &caller);
}

void *reallocarray(void *block, size_t count, size_t size) {
    const struct lt_regs caller = LT_CALLER;
    size_t bytes;
    if (lt_unlikely(!lt_event_tracked(LT_KIND_HEAP))) /* the program's realloc need not be the one behind us */
        return LT_REAL(reallocarray)(block, count, size);
    if (__builtin_mul_overflow(count, size, &bytes)) {
        errno = ENOMEM;
        return NULL;
    }
    return resized(block, bytes, &caller);
}

void *memalign(size_t alignment, size_t size) {
    const struct lt_regs caller = LT_CALLER;
    return acquired(LT_REAL(memalign)(alignment, size), size, &caller);
}

int posix_memalign(void **block, size_t alignment, size_t size) {
    const struct lt_regs caller = LT_CALLER;
    int error = LT_REAL(posix_memalign)(block, alignment, size);
    if (error == 0)
        acquired(*block, size, &caller);
    return error;
}

void *aligned_alloc(size_t alignment, size_t size) {
    const struct lt_regs caller = LT_CALLER;
    return acquired(LT_REAL(aligned_alloc)(alignment, size), size, &caller);
}

void *valloc(size_t size) {
    const struct lt_regs caller = LT_CALLER;
    return acquired(LT_REAL(valloc)(size), size, &caller);
}

void *pvalloc(size_t size) {
    const struct lt_regs caller = LT_CALLER;
    return acquired(LT_REAL(pvalloc)(size), size, &caller);
}

void cfree(void *block) {
    released(block);
}

void free_sized(void *block, size_t size) {
    lt_event_released(LT_KIND_HEAP, block);
    if (lt_real.free_sized)
        lt_real.free_sized(block, size);
    else
        lt_real_free_of_program(block);
}

void free_aligned_sized(void *block, size_t alignment, size_t size) {
    lt_event_released(LT_KIND_HEAP, block);
    if (lt_real.free_aligned_sized)
        lt_real.free_aligned_sized(block, alignment, size);
    else
        lt_real_free_of_program(block);
}
