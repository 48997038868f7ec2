#include "os/memory.h"

#include "os/syscall.h"

#include <errno.h>
#include <stdint.h>
#include <sys/mman.h>

/* 0 where rounding up would wrap: the kernel answers EINVAL to it, which is what a size beyond all memory deserves. */
static size_t whole_pages(size_t size) {
    return (size + LT_PAGE - 1) & ~(size_t)(LT_PAGE - 1);
}

void *lt_pages_new(size_t size) {
    return lt_mapping(
        lt_syscall6(SYS_mmap, 0, (long)whole_pages(size), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
}

void *lt_pages_wiped_on_fork(size_t size) {
    void *pages = lt_pages_new(size);
    if (pages && lt_syscall3(SYS_madvise, LT_ARG(pages), (long)whole_pages(size), MADV_WIPEONFORK) < 0) {
        lt_pages_free(pages, size);
        return NULL;
    }
    return pages;
}

void lt_pages_free(void *pages, size_t size) {
    if (pages)
        lt_syscall2(SYS_munmap, LT_ARG(pages), (long)whole_pages(size));
}

void *lt_pages_resize(void *pages, size_t old_size, size_t new_size) {
    return lt_mapping(lt_syscall4(SYS_mremap, LT_ARG(pages), (long)whole_pages(old_size), (long)whole_pages(new_size),
                                  MREMAP_MAYMOVE));
}

bool lt_memory_readable(uintptr_t address) {
    const long no_operation = -1, mask_size = 8;
    return lt_syscall4(SYS_rt_sigprocmask, no_operation, (long)address, 0, mask_size) != -EFAULT;
}
