/* The hooks of mappings: as a resource; and to keep the unwinder from reading what is not there any more, which
 * remembers the bounds of the stacks it has seen and is told before any of that is unmapped, moved or protected, and
 * which modules are loaded, and is told after one may be gone.
 *
 * An allocator calls these with its locks held, and before libc is initialised. So they take no lock but that of the
 * map, call nothing of libc, need little stack, and never let a snapshot begin that needs a thread.
 *
 * What is about to go is taken out before the real call and put back where that fails; what has come is put in after
 * it. mremap is to a mapping what realloc is to a block: what it moves or grows belongs to its caller from then on,
 * what it shrinks loses its end. */
#include "preload/event.h"
#include "preload/hooks.h"
#include "preload/life.h"
#include "preload/options.h"
#include "preload/real.h"
#include "track/mappings.h"

#include <errno.h>
#include <linux/mman.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/shm.h>

enum { PAGE = 4096, HUGE_PAGE = 2 << 20 };

static bool is_tracked(void) {
    return lt_state == LT_STATE_ON && lt_options.kinds >> LT_KIND_MAPPING & 1;
}

static void range_gone(const void *start, size_t size) {
    if (lt_state == LT_STATE_ON)
        lt_unwind_range_gone((uintptr_t)start, (uintptr_t)start + size);
}

static uintptr_t round_up(uintptr_t size, uintptr_t unit) {
    return (size + unit - 1) & ~(unit - 1);
}

/* [start, start + size) is about to go. The kernel refuses what begins inside a page, or passes the end of all. */
static void take_out(struct lt_mappings_taken *taken, const void *start, size_t size) {
    const uintptr_t from = (uintptr_t)start, to = from + round_up(size, PAGE);
    range_gone(start, size);
    if (is_tracked() && from % PAGE == 0)
        lt_mapping_take(lt_event_thread(), from, to, taken);
}

/* The real call is back. */
static void settle(struct lt_mappings_taken *taken, bool failed) {
    if (lt_likely(!failed))
        lt_mapping_gone(taken);
    else if (taken->count)
        lt_mapping_put_back(lt_event_thread(), taken);
}

/* What is known of a new mapping. */
enum what { OF_ANY_KIND, ANONYMOUS, ATTACHED };

/* [start, start + size), whole pages, was given to the program. */
static void put_in(const void *start, uintptr_t size, enum what what, const struct lt_regs *caller) {
    struct lt_event event;
    if (!lt_event_begin(&event, LT_KIND_MAPPING, size, caller))
        return;
    const struct lt_mapping mapping = {.start = (uintptr_t)start,
                                       .end = (uintptr_t)start + size,
                                       .holding = event.holding,
                                       .attached = what == ATTACHED ? (uintptr_t)start : 0,
                                       .origin = LT_ORIGIN_CALL,
                                       .anonymous = what == ANONYMOUS};
    lt_mapping_put(event.thread, &mapping);
    lt_event_end_under_locks(&event);
}

/* Huge pages are files of the kernel's, shared ones of /dev/zero. */
static bool is_anonymous(int flags) {
    return flags & MAP_ANONYMOUS && !(flags & (MAP_SHARED | MAP_HUGETLB));
}

/* The unit in which the kernel maps: the flags tell the size of huge pages, or that it is the default one. */
static uintptr_t unit_of(int flags) {
    const unsigned shift = (unsigned)flags >> MAP_HUGE_SHIFT & MAP_HUGE_MASK;
    return !(flags & MAP_HUGETLB) ? PAGE : shift ? (uintptr_t)1 << shift : HUGE_PAGE;
}

static void before_mmap(struct lt_mappings_taken *taken, void *address, size_t size, int flags) {
    taken->count = taken->rest = 0;
    if (flags & MAP_FIXED)
        take_out(taken, address, round_up(size, unit_of(flags)));
}

static void *after_mmap(struct lt_mappings_taken *taken, void *result, size_t size, int flags,
                        const struct lt_regs *caller) {
    settle(taken, result == MAP_FAILED);
    if (result != MAP_FAILED)
        put_in(result, round_up(size, unit_of(flags)), is_anonymous(flags) ? ANONYMOUS : OF_ANY_KIND, caller);
    return result;
}

LT_EXPORT void *mmap(void *address, size_t size, int protection, int flags, int fd, off_t offset) {
    const struct lt_regs caller = LT_CALLER;
    struct lt_mappings_taken taken;
    before_mmap(&taken, address, size, flags);
    return after_mmap(&taken, LT_REAL(mmap)(address, size, protection, flags, fd, offset), size, flags, &caller);
}

LT_EXPORT void *mmap64(void *address, size_t size, int protection, int flags, int fd, off64_t offset) {
    const struct lt_regs caller = LT_CALLER;
    struct lt_mappings_taken taken;
    before_mmap(&taken, address, size, flags);
    return after_mmap(&taken, LT_REAL(mmap64)(address, size, protection, flags, fd, offset), size, flags, &caller);
}

LT_EXPORT int munmap(void *address, size_t size) {
    struct lt_mappings_taken taken;
    taken.count = taken.rest = 0;
    take_out(&taken, address, size);
    int result = LT_REAL(munmap)(address, size);
    settle(&taken, result != 0);
    return result;
}

/* Whether what was at the old place stays there: MREMAP_DONTUNMAP, and a second view of shared pages. */
static bool leaves_old(size_t old_size, int flags) {
    return old_size == 0 || flags & MREMAP_DONTUNMAP;
}

/* Whether only the end goes, or nothing. */
static bool only_shrinks(size_t old_size, size_t new_size, int flags) {
    return !leaves_old(old_size, flags) && !(flags & MREMAP_FIXED) &&
           round_up(new_size, PAGE) <= round_up(old_size, PAGE);
}

static void before_mremap(struct lt_mappings_taken *taken, char *old, size_t old_size, size_t new_size, int flags,
                          void *wanted) {
    taken->count = taken->rest = 0;
    if (only_shrinks(old_size, new_size, flags))
        take_out(taken, old + round_up(new_size, PAGE), round_up(old_size, PAGE) - round_up(new_size, PAGE));
    else if (!leaves_old(old_size, flags))
        take_out(taken, old, old_size);
    else
        range_gone(old, old_size);
    if (flags & MREMAP_FIXED)
        take_out(taken, wanted, new_size);
}

LT_EXPORT void *mremap(void *old, size_t old_size, size_t new_size, int flags, ...) {
    const struct lt_regs caller = LT_CALLER;
    void *wanted = NULL;
    if (flags & (MREMAP_FIXED | MREMAP_DONTUNMAP)) {
        va_list arguments;
        va_start(arguments, flags);
        wanted = va_arg(arguments, void *);
        va_end(arguments);
    }
    if (!(flags & MREMAP_FIXED) && (uintptr_t)wanted % PAGE != 0)
        wanted = NULL; /* no hint, but what a hook has left in the register of an argument that was not given */
    struct lt_mappings_taken taken;
    before_mremap(&taken, old, old_size, new_size, flags, wanted);
    void *result = LT_REAL(mremap)(old, old_size, new_size, flags, wanted);
    settle(&taken, result == MAP_FAILED);
    if (result != MAP_FAILED && !only_shrinks(old_size, new_size, flags))
        put_in(result, round_up(new_size, PAGE), OF_ANY_KIND, &caller); /* what it was is not asked */
    return result;
}

/* Protection is not recorded: the kernel's word at the snapshot counts. */
LT_EXPORT int mprotect(void *address, size_t size, int protection) {
    if (!(protection & PROT_READ))
        range_gone(address, size);
    return LT_REAL(mprotect)(address, size, protection);
}

LT_EXPORT int pkey_mprotect(void *address, size_t size, int protection, int key) {
    range_gone(address, size);
    return LT_REAL(pkey_mprotect)(address, size, protection, key);
}

/* In whole pages; 0 where the kernel does not tell. */
static uintptr_t segment_size(int id) {
    const int saved = errno;
    struct shmid_ds segment;
    const uintptr_t size = is_tracked() && shmctl(id, IPC_STAT, &segment) == 0 ? segment.shm_segsz : 0;
    errno = saved;
    return round_up(size, PAGE);
}

LT_EXPORT void *shmat(int id, const void *address, int flags) {
    const struct lt_regs caller = LT_CALLER;
    const uintptr_t size = segment_size(id),
                    rounded = (uintptr_t)address & ~(uintptr_t)(flags & SHM_RND ? PAGE - 1 : 0);
    struct lt_mappings_taken taken;
    taken.count = taken.rest = 0;
    if (flags & SHM_REMAP)
        take_out(&taken, (const void *)rounded, size);
    void *result = LT_REAL(shmat)(id, address, flags);
    settle(&taken, result == MAP_FAILED);
    if (result != MAP_FAILED && size)
        put_in(result, size, ATTACHED, &caller);
    return result;
}

LT_EXPORT int shmdt(const void *address) {
    struct lt_mappings_taken taken;
    taken.count = taken.rest = 0;
    if (is_tracked())
        lt_mapping_take_attached(lt_event_thread(), (uintptr_t)address, &taken);
    for (unsigned i = 0; i < taken.count && i < LT_MAPPING_FIRST; i++)
        range_gone((const void *)taken.first[i].start, taken.first[i].end - taken.first[i].start);
    int result = LT_REAL(shmdt)(address);
    settle(&taken, result != 0);
    return result;
}

LT_EXPORT int dlclose(void *library) {
    int result = LT_REAL(dlclose)(library);
    if (result == 0 && lt_state == LT_STATE_ON)
        lt_unwind_modules_changed();
    return result;
}
