#include "os/peek.h"

#include "os/arch.h"
#include "os/file.h"
#include "os/memory.h"
#include "os/resident.h"

#include <fcntl.h>

int lt_peek_open(struct lt_peek *peek) {
    *peek = (struct lt_peek){.memory = lt_open("/proc/thread-self/mem", O_RDONLY, 0)};
    if (peek->memory < 0)
        return peek->memory;
    peek->pages = lt_pages_open();
    if (peek->pages < 0)
        lt_close(peek->memory);
    return peek->pages < 0 ? peek->pages : 0;
}

void lt_peek_close(struct lt_peek *peek) {
    lt_close(peek->memory);
    lt_close(peek->pages);
}

bool lt_peek_read(const struct lt_peek *peek, uintptr_t address, void *to, size_t size) {
    const uintptr_t page = address / LT_PAGE * LT_PAGE;
    uint64_t word;
    return lt_pages_resident(peek->pages, page, page + LT_PAGE, &word) == 1 &&
           lt_pread_all(peek->memory, to, size, address) == (int64_t)size;
}

bool lt_peek_is_thread(const struct lt_peek *peek, uint64_t handle) {
    uint64_t self = 0;
    return handle % sizeof self == 0 && handle / LT_PAGE == (handle + LT_ARCH_THREAD_SELF) / LT_PAGE &&
           lt_peek_read(peek, handle + LT_ARCH_THREAD_SELF, &self, sizeof self) && self == handle;
}
