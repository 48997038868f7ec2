#include "os/memory.h"

#include "os/syscall.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/mman.h>

/* 0 where rounding up would wrap: the kernel answers EINVAL to it, which is what a size beyond all memory deserves. */
static size_t whole_pages(size_t size) {
    return (size + LT_PAGE - 1) & ~(size_t)(LT_PAGE - 1);
}

/* The ranges that are ours; start 0: not in use. A handful, but for one per thread with a call-stack table of its own.
 */
enum { RANGES = 1024 };
static struct { _Atomic uintptr_t start, size; } ranges[RANGES];
static _Atomic unsigned ranges_end; /* none is in use from here on */

static void *remember(void *pages, size_t size) {
    for (unsigned i = 0; pages && i < RANGES; i++) {
        uintptr_t unused = 0;
        if (!atomic_compare_exchange_strong(&ranges[i].start, &unused, (uintptr_t)pages))
            continue;
        atomic_store(&ranges[i].size, whole_pages(size));
        unsigned end = atomic_load(&ranges_end);
        while (end <= i && !atomic_compare_exchange_weak(&ranges_end, &end, i + 1))
            ;
        break;
    }
    return pages;
}

static void forget(void *pages) {
    const unsigned end = atomic_load(&ranges_end);
    for (unsigned i = 0; i < end; i++)
        if (atomic_load(&ranges[i].start) == (uintptr_t)pages) {
            atomic_store(&ranges[i].size, 0);
            atomic_store(&ranges[i].start, 0);
            return;
        }
}

bool lt_pages_next(unsigned *i, uintptr_t *start, uintptr_t *end) {
    for (const unsigned last = atomic_load(&ranges_end); *i < last; ++*i) {
        const uintptr_t size = atomic_load(&ranges[*i].size);
        *start = atomic_load(&ranges[*i].start);
        *end = *start + size;
        if (*start && size)
            return true;
    }
    return false;
}

void *lt_pages_new(size_t size) {
    void *pages = lt_mapping(
        lt_syscall6(SYS_mmap, 0, (long)whole_pages(size), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    return remember(pages, size);
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
    if (!pages)
        return;
    forget(pages);
    lt_syscall2(SYS_munmap, LT_ARG(pages), (long)whole_pages(size));
}

void *lt_pages_resize(void *pages, size_t old_size, size_t new_size) {
    void *moved = lt_mapping(lt_syscall4(SYS_mremap, LT_ARG(pages), (long)whole_pages(old_size),
                                         (long)whole_pages(new_size), MREMAP_MAYMOVE));
    if (moved)
        forget(pages);
    return remember(moved, new_size);
}

void lt_pages_want_huge(void *pages, size_t size) {
    if (size >= LT_HUGE_PAGE)
        lt_syscall3(SYS_madvise, LT_ARG(pages), (long)whole_pages(size), MADV_HUGEPAGE);
}

void lt_pages_keep_small(void *pages, size_t size) {
    lt_syscall3(SYS_madvise, LT_ARG(pages), (long)whole_pages(size), MADV_NOHUGEPAGE);
}

/* Valgrind answers these rotations, which do nothing on a processor (its valgrind.h). */
static bool is_under_valgrind(void) {
    uint64_t answer = 0;
#ifdef __x86_64__
    const uint64_t running_on_valgrind[6] = {0x1001};
    __asm__ volatile("rolq $3, %%rdi; rolq $13, %%rdi; rolq $61, %%rdi; rolq $51, %%rdi; xchgq %%rbx, %%rbx"
                     : "+d"(answer)
                     : "a"(running_on_valgrind)
                     : "cc", "memory");
#endif
    return answer != 0;
}

/* Valgrind complains of an operation that does not exist, and of a mask that the program has not written. No mask at
 * all is none that can't be read. */
bool lt_memory_readable(uintptr_t address) {
    const long no_operation = -1, mask_size = 8, populate_read = 22; /* Linux 5.14 */
    if (lt_unlikely(address == 0))
        return false;
    if (lt_unlikely(is_under_valgrind()))
        return lt_syscall3(SYS_madvise, (long)address & -(long)LT_PAGE, LT_PAGE, populate_read) == 0;
    return lt_syscall4(SYS_rt_sigprocmask, no_operation, (long)address, 0, mask_size) != -EFAULT;
}
