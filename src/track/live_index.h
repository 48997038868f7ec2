/* The live index: address -> {site, size, birth} of every live block, lock-free.
 *
 *   address >> 30 ──► leaf (1 GiB: 2^20 regions of 1 KiB) ──► region's chain of 128-byte chunks of 7 entries
 *
 * A chunk's first word holds one tag byte per entry: 0 = free, 0x80 | granule (the block's place in the region, in
 * units of 8 bytes) = taken. A search looks at the tags only: one cache line per chunk, seven entries at a time.
 *
 *   acquire   CAS on the tags claims a slot; word 1 is stored; word 0 is stored with release
 *   release   word 0 = 0, then the tag = 0, both with release: a block has exactly one legal freer
 *   reader    one 16-byte load of both words (os/atomic16.h): word 1 is never paired with another occupant's word 0
 *
 * Word 0: site (arena ref, 32 bits) | size >> 32 (16) | 0 | granule (7) | 0 (4) | state (4, LT_LIVE_*). 0 = free.
 * Word 1: size (low 32) | birth in centiseconds (32). */
#ifndef LT_TRACK_LIVE_INDEX_H
#define LT_TRACK_LIVE_INDEX_H

#include "base/status.h"

#include <stdbool.h>
#include <stdint.h>

enum lt_live_state {
    LT_LIVE_HELD = 1 << 0,    /* the entry is in use */
    LT_LIVE_MOVING = 1 << 1,  /* a reallocation is in progress: the address may already be somebody else's */
    LT_LIVE_IGNORED = 1 << 2, /* not to be reported */
};

struct lt_live_block {
    uintptr_t address;
    uint64_t size;
    uint32_t birth;
    uint32_t site;
    uint32_t state;
};

/* Reserves the tables. Once, after lt_arena_init. */
LT_STATUS lt_live_init(void);

/* Whether an entry can say it: a multiple of 8 below 2^47, and a size below 2^48. */
bool lt_live_address_fits(uintptr_t address);
bool lt_live_size_fits(uint64_t size);

/* Fetches the cache lines that the next insert or find at `address` needs. Any address. */
void lt_live_prefetch(uintptr_t address);

/* Inserts a block whose address and size fit; its `state` is ignored. 0; 1 when the address was still held, then *old
 * is what was replaced; -ENOMEM when the arena is full. The address belongs to the caller: nobody else inserts, finds
 * or removes it meanwhile. */
LT_STATUS lt_live_insert(const struct lt_live_block *, struct lt_live_block *old);

/* The entry of the block at `address`, NULL where there is none or it is MOVING. Any address. It stays the same entry
 * until the block is released. */
uint64_t *lt_live_find(uintptr_t address);

/* What the entry holds. For the owner of the block. */
void lt_live_read(const uint64_t *entry, struct lt_live_block *);

/* Changes the entry's state bits. For the owner of the block. */
void lt_live_set_state(uint64_t *entry, uint32_t set, uint32_t clear);

/* Frees the entry. For the owner of the block; for a MOVING entry, by whoever made it so. */
void lt_live_remove(uint64_t *entry);

/* Walks over the blocks held, in address order, a region at a time; others insert and remove meanwhile, and every block
 * that is held from the walk's start to its end is seen. A cursor of zeros is the start. lt_live_next_region fills
 * `region` (scratch memory of the caller) and returns false at the end. */
enum { LT_LIVE_REGION_BLOCKS = 128 };
struct lt_live_region {
    uint32_t count;
    struct lt_live_block blocks[LT_LIVE_REGION_BLOCKS];
    uint64_t raw[LT_LIVE_REGION_BLOCKS][2]; /* private: the entries by granule */
};
struct lt_live_cursor {
    uint64_t region; /* address / 1 KiB of where the walk goes on */
};
bool lt_live_next_region(struct lt_live_cursor *, struct lt_live_region *);

/* Memory that the index has come to use: its chunks, and the pages of its tables that hold anything. It never shrinks.
 */
uint64_t lt_live_bytes(void);

#endif
