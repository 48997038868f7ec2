/* One reservation: | root header | handed out ... used | committed | reserved, PROT_NONE |
 *
 * `used` is bumped by CAS and never passes `committed`, which mprotect raises in steps; both only ever rise. Two
 * threads that need the next step may both ask for it: to make pages writable twice is harmless.
 *
 * Only lt_arena_fit takes reserved pages back, and it must not unmap what a thread is about to make writable (something
 * else could be mapped there by then). So a thread announces in `wanted` how far it will go before it looks at
 * `reserved`; the trimmer lowers `reserved` before it looks at `wanted`: one of the two sees the other. */
#include "os/arena.h"

#include "base/attrs.h"
#include "os/file.h"
#include "os/memory.h"
#include "os/proc.h"
#include "os/syscall.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/resource.h>

#define MIB ((uint64_t)1 << 20)
#define GIB ((uint64_t)1 << 30)

static const uint64_t most = 32 * GIB, least = 16 * MIB; /* of the reservation */
static const uint64_t first_step = MIB / 4, last_step = 16 * MIB;

/* So much of it is never in huge pages, whatever the system's setting: most programs need no more, and its tables are
 * sparse. Beyond, they are wanted: they cost little, and nodes and blocks are found all over the arena, where every
 * access would be a miss of the TLB. */
static const uint64_t small_pages = 16 * MIB;

/* At the start of the arena, so that a copy of it explains itself. */
struct root {
    char magic[8];
    _Atomic uint64_t used, committed, wanted, reserved; /* bytes from the start */
};

static struct root *root;
LT_HOT_DATA char *lt_arena_base;        /* the same, for the inline functions */
static _Atomic uint64_t fail_countdown; /* 1: every allocation fails; n: n - 1 more succeed; 0: off */

static uint64_t smaller(uint64_t a, uint64_t b) {
    return a < b ? a : b;
}

static uint64_t whole_pages(uint64_t size) {
    return (size + LT_PAGE - 1) & ~(uint64_t)(LT_PAGE - 1);
}

/* What RLIMIT_AS or RLIMIT_DATA leaves when `in_use` bytes of it are gone. */
static uint64_t room_under(int resource, uint64_t in_use) {
    struct rlimit limit;
    if (lt_syscall4(SYS_prlimit64, 0, resource, 0, LT_ARG(&limit)) < 0 || limit.rlim_cur == RLIM_INFINITY)
        return UINT64_MAX;
    return limit.rlim_cur > in_use ? limit.rlim_cur - in_use : 0;
}

/* An eighth of what the limits leave; UINT64_MAX without limits. `own` bytes of the address space are the arena's. */
static uint64_t share_of_room(uint64_t own) {
    struct lt_memory_use use;
    if (lt_proc_memory_use(&use) < 0 || use.address_space < own)
        use = (struct lt_memory_use){.address_space = own};
    uint64_t room = smaller(room_under(RLIMIT_AS, use.address_space - own), room_under(RLIMIT_DATA, use.data));
    return room == UINT64_MAX ? room : whole_pages(room / 8);
}

static void *reserve(uint64_t size) {
    void *base =
        lt_mapping(lt_syscall6(SYS_mmap, 0, (long)size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
    if (base) {
        lt_syscall3(SYS_madvise, LT_ARG(base), (long)size, MADV_DONTDUMP);
        lt_pages_keep_small(base, smaller(size, small_pages));
        if (size > small_pages)
            lt_pages_want_huge((char *)base + small_pages, size - small_pages);
    }
    return base;
}

static bool make_writable(uint64_t from, uint64_t to) {
    return lt_syscall3(SYS_mprotect, LT_ARG(root) + (long)from, (long)(to - from), PROT_READ | PROT_WRITE) == 0;
}

int lt_arena_init(void) {
    uint64_t size = smaller(share_of_room(0), most);
    size = size < least ? least : size;
    void *base = reserve(size);
    while (!base && size > least) {
        size = size / 2 < least ? least : whole_pages(size / 2);
        base = reserve(size);
    }
    if (!base)
        return -ENOMEM;
    root = base;
    if (!make_writable(0, first_step)) {
        lt_syscall2(SYS_munmap, LT_ARG(base), (long)size);
        root = NULL;
        return -ENOMEM;
    }
    *root = (struct root){.magic = "leaktrk",
                          .used = sizeof(struct root),
                          .committed = first_step,
                          .wanted = first_step,
                          .reserved = size};
    lt_arena_base = base;
    return 0;
}

static void raise_to(_Atomic uint64_t *word, uint64_t value) {
    uint64_t now = atomic_load(word);
    while (now < value && !atomic_compare_exchange_weak(word, &now, value))
        ;
}

/* Makes the arena usable up to `end`, and a step further. Steps grow with the arena: few calls, and little waste in a
 * program that locks its memory (mlockall makes every committed page resident). */
static LT_NOINLINE bool commit(uint64_t end) {
    uint64_t step = end / 8;
    step = step < first_step ? first_step : smaller(step, last_step);
    uint64_t target = smaller(whole_pages(end + step), atomic_load(&root->reserved));
    if (target < end)
        return false;
    raise_to(&root->wanted, target);
    if (target > atomic_load(&root->reserved))
        return false; /* trimmed at this very moment */
    uint64_t committed = atomic_load(&root->committed);
    if (committed < target && !make_writable(committed, target))
        return false;
    raise_to(&root->committed, target);
    return true;
}

static LT_COLD bool told_to_fail(void) {
    uint64_t left = atomic_load(&fail_countdown);
    while (left > 1 && !atomic_compare_exchange_weak(&fail_countdown, &left, left - 1))
        ;
    return left == 1;
}

void *lt_arena_alloc(size_t size, size_t align) {
    if (lt_unlikely(!root || size > most))
        return NULL;
    if (lt_unlikely(atomic_load_explicit(&fail_countdown, memory_order_relaxed)) && told_to_fail())
        return NULL;
    uint64_t used = atomic_load_explicit(&root->used, memory_order_relaxed), start, end;
    do {
        start = (used + align - 1) & ~(uint64_t)(align - 1);
        end = (start + size + LT_ARENA_UNIT - 1) & ~(uint64_t)(LT_ARENA_UNIT - 1);
        if (lt_unlikely(end > atomic_load(&root->committed)) && !commit(end))
            return NULL;
    } while (!atomic_compare_exchange_weak(&root->used, &used, end));
    return (char *)root + start;
}

void lt_arena_usage(struct lt_arena_usage *usage) {
    *usage = (struct lt_arena_usage){0, 0, 0};
    if (root)
        *usage = (struct lt_arena_usage){atomic_load(&root->used), atomic_load(&root->committed),
                                         atomic_load(&root->reserved)};
}

/* Lowers the reservation to `size`, or to what a thread has announced. */
static void trim(uint64_t size) {
    uint64_t old = atomic_load(&root->reserved);
    do {
        size = whole_pages(size);
        if (old <= size)
            return;
    } while (!atomic_compare_exchange_weak(&root->reserved, &old, size));
    uint64_t kept = smaller(atomic_load(&root->wanted), old);
    if (kept < size)
        kept = size;
    raise_to(&root->reserved, kept);
    if (kept < old)
        lt_syscall2(SYS_munmap, LT_ARG(root) + (long)kept, (long)(old - kept));
}

void lt_arena_fit(bool locking) {
    if (!root)
        return;
    uint64_t reserved = atomic_load(&root->reserved), share = share_of_room(reserved);
    if (locking && room_under(RLIMIT_MEMLOCK, 0) != UINT64_MAX)
        share = 0;
    if (share < reserved)
        trim(atomic_load(&root->wanted) + share);
}

void lt_arena_fail_after(uint64_t n) {
    atomic_store(&fail_countdown, n);
}
