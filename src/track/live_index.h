/* The live index: address -> {site, size, birth} of every live block, lock-free.
 *
 *   address >> 30 ──► leaf (1 GiB: 2^20 regions of 1 KiB) ──► region's chain of chunks, a cache line of 8 slots each
 *
 *   chunk:   tags, a byte each (8) | next (4) | late, four bits each (4) | entries (8 * 4) | births (8 * 2)
 *   tag:     0 = free, 0x80 | granule (the block's place in the region, in units of 8 bytes) = taken, 1 = a companion
 *   entry:   site's number, low (20) | IGNORED (1) | MOVING (1) | size (10)
 *   size:    0 = no entry yet, or no more; up to 1015: the block's size + 1; 1016 + i: slot i of the same chunk is its
 *            *companion*, whose entry and birth hold what fits neither: the size (32 + 10), the site's number, high (6)
 *   late:    the birth's high bits
 *
 *   acquire   CAS on the tags claims a slot (two with a companion); the entry is stored last, with release
 *   release   entry = 0, companion = 0, then the tags = 0, with release: a block has exactly one legal freer
 *   reader    reads all of a slot twice, and takes what was the same both times */
#ifndef LT_TRACK_LIVE_INDEX_H
#define LT_TRACK_LIVE_INDEX_H

#include "base/status.h"

#include <stdbool.h>
#include <stdint.h>

enum lt_live_state {
    LT_LIVE_MOVING = 1 << 0,  /* a reallocation is in progress: the address may already be somebody else's */
    LT_LIVE_IGNORED = 1 << 1, /* not to be reported */
};

/* The index keeps the birth rounded down: by less than 0.64 s in the first 46 hours of the clock, then by less than 5.2
 * s up to 17 days, 41 s up to 141 days, and 5.5 minutes. */
struct lt_live_block {
    uintptr_t address;
    uint64_t size;
    uint32_t birth; /* centiseconds */
    uint32_t site;  /* its number (site_numbers.h), not 0 */
    uint32_t state; /* enum lt_live_state */
};

/* Reserves the tables. Once, after lt_arena_init. */
LT_STATUS lt_live_init(void);

/* Whether an entry can say it: a multiple of 8 below 2^47, and a size below 2^42. */
bool lt_live_address_fits(uintptr_t address);
bool lt_live_size_fits(uint64_t size);

/* Looks up where blocks around `address` (which fits) are, and fetches the cache line that the insert will need; NULL:
 * there are none so far. Good for ever. */
uint32_t *lt_live_place(uintptr_t address);

/* Inserts a block whose address and size fit; its `state` is ignored; `place` is lt_live_place of its address. 0; 1
 * when the address was still held, then *old is what was replaced; -ENOMEM when the arena is full, and nothing has
 * changed. The address belongs to the caller: nobody else inserts, finds or removes it meanwhile. */
LT_STATUS lt_live_insert(const struct lt_live_block *, uint32_t *place, struct lt_live_block *old);

/* The entry of the block at `address`, NULL where there is none or it is MOVING. Any address. It stays the same entry
 * until the block is released. */
uint32_t *lt_live_find(uintptr_t address);

/* Frees the entry of the block at `address`, and tells its size, site and state; false where lt_live_find would find
 * none. */
bool lt_live_take(uintptr_t address, struct lt_live_block *);

/* What the entry holds, but for the address. For the owner of the block. */
void lt_live_read(const uint32_t *entry, struct lt_live_block *);

/* Changes the entry's state bits. For the owner of the block. */
void lt_live_set_state(uint32_t *entry, uint32_t set, uint32_t clear);

/* Frees the entry. For the owner of the block; for a MOVING entry, by whoever made it so. */
void lt_live_remove(uint32_t *entry);

/* Walks over the blocks held, in address order, a region at a time; others insert and remove meanwhile, and every block
 * that is held from the walk's start to its end is seen. A cursor of zeros is the start. lt_live_next_region fills
 * `region` (scratch memory of the caller) and returns false at the end. */
enum { LT_LIVE_REGION_BLOCKS = 128 };
struct lt_live_region {
    uint32_t count;
    struct lt_live_block blocks[LT_LIVE_REGION_BLOCKS];
    struct lt_live_block by_granule[LT_LIVE_REGION_BLOCKS]; /* private */
};
struct lt_live_cursor {
    uint64_t region; /* address / 1 KiB of where the walk goes on */
};
bool lt_live_next_region(struct lt_live_cursor *, struct lt_live_region *);

/* Memory that the index has come to use: its chunks, and the pages of its tables that hold anything. It never shrinks.
 */
uint64_t lt_live_bytes(void);

#endif
