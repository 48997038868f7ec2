/* The arena: one contiguous reservation that holds every table of the tracker, with a root header at its start, so that
 * a later flight recorder (the arena in a memfd that a launcher keeps) needs no redesign. Grows by mprotect in steps;
 * never shrinks, never moves, nothing in it is freed. Excluded from core dumps (MADV_DONTDUMP). */
#ifndef LT_OS_ARENA_H
#define LT_OS_ARENA_H

#include "base/attrs.h"
#include "base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LT_ARENA_UNIT = 8 }; /* offsets are kept in units of 8 bytes: 32 bits reach 32 GiB */

/* Reserves the arena: up to 32 GiB of address space, less where RLIMIT_AS or RLIMIT_DATA is finite (an eighth of the
 * room left, at least 16 MiB). Returns 0 or -ENOMEM. Once, before other threads run. */
LT_STATUS lt_arena_init(void);

/* Gives back what is reserved and not in use, so that the arena keeps within an eighth of the room that the limits
 * leave now; it never grows again. Call it after the program has lowered RLIMIT_AS or RLIMIT_DATA (else its own
 * mappings fail), and with `locking` before it calls mlockall (which fails where the whole address space, the
 * reservation included, is larger than a finite RLIMIT_MEMLOCK: then nothing beyond the pages in use stays reserved).
 * Lock-free; a lt_arena_alloc at the very same moment may fail. */
void lt_arena_fit(bool locking);

/* `size` bytes, zeroed, aligned to `align` (a power of two, 8 .. 4096), or NULL when the reservation, or the memory
 * that the kernel grants, is used up. Lock-free. */
void *lt_arena_alloc(size_t size, size_t align);

extern char *lt_arena_base; /* for those below */

/* An address in the arena as a 32-bit offset in LT_ARENA_UNITs, and back. 0 is "none" (NULL): nothing lives at offset
 * 0. */
static LT_ALWAYS_INLINE uint32_t lt_arena_ref(const void *address) {
    return address ? (uint32_t)(((uintptr_t)address - (uintptr_t)lt_arena_base) / LT_ARENA_UNIT) : 0;
}
static LT_ALWAYS_INLINE void *lt_arena_known(uint32_t ref) { /* which is not 0 */
    return lt_arena_base + (uint64_t)ref * LT_ARENA_UNIT;
}
static LT_ALWAYS_INLINE void *lt_arena_at(uint32_t ref) {
    return ref ? lt_arena_known(ref) : NULL;
}

/* Bytes handed out, and bytes the kernel has been asked for. */
struct lt_arena_usage {
    uint64_t used, committed, reserved;
};
void lt_arena_usage(struct lt_arena_usage *);

/* Makes the n-th lt_arena_alloc() from now (1 = the next) and all later ones fail; 0 = none. For tests. */
void lt_arena_fail_after(uint64_t n);

#endif
