#include "os/peek.h"

#include "os/arch.h"
#include "os/file.h"
#include "os/memory.h"

#include <fcntl.h>

/* A page's word in pagemap (Documentation/admin-guide/mm/pagemap.rst). */
static const uint64_t present = UINT64_C(1) << 63;

int lt_peek_open(struct lt_peek *peek) {
    *peek = (struct lt_peek){.memory = lt_open("/proc/thread-self/mem", O_RDONLY, 0)};
    if (peek->memory < 0)
        return peek->memory;
    peek->pages = lt_open("/proc/thread-self/pagemap", O_RDONLY, 0);
    if (peek->pages < 0)
        lt_close(peek->memory);
    return peek->pages < 0 ? peek->pages : 0;
}

void lt_peek_close(struct lt_peek *peek) {
    lt_close(peek->memory);
    lt_close(peek->pages);
}

bool lt_peek_read(const struct lt_peek *peek, uintptr_t address, void *to, size_t size) {
    uint64_t page;
    const uint64_t word = address / LT_PAGE * sizeof page;
    return lt_pread_all(peek->pages, &page, sizeof page, word) == (int64_t)sizeof page && page & present &&
           lt_pread_all(peek->memory, to, size, address) == (int64_t)size;
}

bool lt_peek_is_thread(const struct lt_peek *peek, uint64_t handle) {
    uint64_t self = 0;
    return handle % sizeof self == 0 && handle / LT_PAGE == (handle + LT_ARCH_THREAD_SELF) / LT_PAGE &&
           lt_peek_read(peek, handle + LT_ARCH_THREAD_SELF, &self, sizeof self) && self == handle;
}
