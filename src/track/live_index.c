/* Why tags: the plain design (search the entries' own words, claim by CAS on word 0) touches two cache lines per chunk
 * instead of one, and was slower in every measured case (docs/design/tables.md).
 *
 * Two sizes of access meet at the tags: eight bytes (load, CAS) and one byte (the release's store). Both architectures
 * order them as if the bytes were eight: a byte stored between a CAS's load and store makes the CAS fail.
 *
 * A claim can be left without its word 0 (a signal handler jumped out of the hook, a fork came while another thread was
 * inside). Such a slot is lost: it can't be told from one whose word 0 is already zero and whose tag is about to be,
 * and that one must not be touched, since after a reallocation the address has a new owner by then. */
#include "track/live_index.h"

#include "base/attrs.h"
#include "os/arena.h"
#include "os/atomic16.h"
#include "os/memory.h"

#include <errno.h>
#include <stddef.h>

enum {
    GRANULE_BITS = 3,
    REGION_BITS = 10,
    LEAF_BITS = 30,
    ADDRESS_BITS = 47,
    SIZE_BITS = 48,
    LEAF_REGIONS = 1 << (LEAF_BITS - REGION_BITS),
    ROOT_LEAVES = 1 << (ADDRESS_BITS - LEAF_BITS),
    REGIONS_PER_BIT = 1024, /* one page of a leaf's regions */
    CHUNK_ENTRIES = 7,
    GRANULE_SHIFT = 8, /* in word 0 */
    GRANULE_MASK = 0x7f << GRANULE_SHIFT,
};

#define EACH_BYTE  0x0001010101010101u /* of the seven tags; the eighth byte is not used */
#define EACH_BIT_7 (EACH_BYTE << 7)

struct chunk {
    uint64_t tags;
    uint32_t next; /* arena ref */
    uint32_t reserved;
    uint64_t entries[CHUNK_ENTRIES][2];
};
_Static_assert(sizeof(struct chunk) == 128, "two cache lines");

/* Bitmaps say which leaves, and which pages of a leaf, hold anything: a walk touches no others. */
struct leaf {
    uint64_t used[LEAF_REGIONS / REGIONS_PER_BIT / 64];
    uint32_t regions[LEAF_REGIONS]; /* arena ref of the newest chunk */
};

struct root {
    uint64_t used[ROOT_LEAVES / 64];
    uint64_t chunks;              /* how many there are */
    uint32_t leaves[ROOT_LEAVES]; /* arena ref of struct leaf */
};

static struct root *root;

int lt_live_init(void) {
    root = lt_arena_alloc(sizeof *root, 4096);
    lt_load16_init();
    return root ? 0 : -ENOMEM;
}

bool lt_live_address_fits(uintptr_t address) {
    /* Turned right, a misaligned address is a huge one. */
    return ((address >> GRANULE_BITS) | (address << (64 - GRANULE_BITS))) >> (ADDRESS_BITS - GRANULE_BITS) == 0;
}

bool lt_live_size_fits(uint64_t size) {
    return size >> SIZE_BITS == 0;
}

static uint8_t tag_of(uintptr_t address) {
    return (uint8_t)(0x80 | (address >> GRANULE_BITS));
}

/* As it stands in word 0. */
static uint64_t granule_of(uintptr_t address) {
    return address << (GRANULE_SHIFT - GRANULE_BITS) & GRANULE_MASK;
}

static uint64_t word0_of(const struct lt_live_block *block) {
    return (uint64_t)block->site << 32 | (block->size >> 32) << 16 | granule_of(block->address) | LT_LIVE_HELD;
}

static uint64_t word1_of(const struct lt_live_block *block) {
    return (uint64_t)block->birth << 32 | (uint32_t)block->size;
}

static void decode(uint64_t word0, uint64_t word1, struct lt_live_block *block) {
    block->size = (word0 >> 16 & 0xffff) << 32 | (uint32_t)word1;
    block->birth = (uint32_t)(word1 >> 32);
    block->site = (uint32_t)(word0 >> 32);
    block->state = (uint32_t)(word0 & 0xf);
}

static LT_ALWAYS_INLINE uint32_t *region_of(uintptr_t address) {
    struct leaf *leaf = lt_arena_at(__atomic_load_n(&root->leaves[address >> LEAF_BITS], __ATOMIC_ACQUIRE));
    return lt_likely(leaf) ? &leaf->regions[(address >> REGION_BITS) & (LEAF_REGIONS - 1)] : NULL;
}

static LT_ALWAYS_INLINE struct chunk *chunk_at(const uint32_t *ref) {
    return lt_arena_at(__atomic_load_n(ref, __ATOMIC_ACQUIRE));
}

/* Bit 7 of each tag that equals `tag` (which is none of a free entry). */
static LT_ALWAYS_INLINE uint64_t tags_equal(uint64_t tags, uint8_t tag) {
    uint64_t differ = tags ^ tag * EACH_BYTE;
    return ~(((differ & ~EACH_BIT_7) + (EACH_BIT_7 - EACH_BYTE)) | differ) & EACH_BIT_7;
}

static LT_ALWAYS_INLINE uint64_t *lowest_entry(struct chunk *chunk, uint64_t bits) {
    return chunk->entries[__builtin_ctzll(bits) / 8];
}

/* The held entry of this granule among those whose tag (`bits`) said so. The tag is a hint: a MOVING entry has the same
 * one, and it may have been freed and claimed for another address since the tags were read. */
static LT_ALWAYS_INLINE uint64_t *entry_in(struct chunk *chunk, uint64_t bits, uint64_t granule) {
    for (; lt_unlikely(bits); bits &= bits - 1) {
        uint64_t *entry = lowest_entry(chunk, bits);
        uint64_t word0 = __atomic_load_n(entry, __ATOMIC_RELAXED);
        if (lt_likely((word0 & (GRANULE_MASK | LT_LIVE_HELD | LT_LIVE_MOVING)) == (granule | LT_LIVE_HELD)))
            return entry;
    }
    return NULL;
}

static void set_bit(uint64_t *bits, size_t n) {
    uint64_t bit = (uint64_t)1 << n % 64;
    if (!(__atomic_load_n(&bits[n / 64], __ATOMIC_RELAXED) & bit))
        __atomic_fetch_or(&bits[n / 64], bit, __ATOMIC_RELEASE);
}

static LT_COLD uint32_t *make_leaf(uintptr_t address) {
    size_t index = address >> LEAF_BITS;
    struct leaf *leaf = lt_arena_alloc(sizeof *leaf, 4096);
    if (!leaf)
        return NULL;
    uint32_t none = 0;
    if (__atomic_compare_exchange_n(&root->leaves[index], &none, lt_arena_ref(leaf), false, __ATOMIC_ACQ_REL,
                                    __ATOMIC_ACQUIRE))
        set_bit(root->used, index);
    return region_of(address);
}

static void fill(uint64_t *entry, const struct lt_live_block *block) {
    __atomic_store_n(&entry[1], word1_of(block), __ATOMIC_RELAXED);
    __atomic_store_n(&entry[0], word0_of(block), __ATOMIC_RELEASE);
}

/* Claims a free slot of the chunk; NULL when it is full by now. */
static LT_ALWAYS_INLINE uint64_t *claim(struct chunk *chunk, uint8_t tag) {
    uint64_t tags = __atomic_load_n(&chunk->tags, __ATOMIC_RELAXED), free;
    do {
        free = ~tags & EACH_BIT_7;
        if (lt_unlikely(!free))
            return NULL;
    } while (!__atomic_compare_exchange_n(&chunk->tags, &tags, tags | (uint64_t)tag << (__builtin_ctzll(free) - 7),
                                          true, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED));
    return lowest_entry(chunk, free);
}

static LT_COLD int insert_in_new_chunk(uint32_t *region, const struct lt_live_block *block) {
    struct chunk *chunk = lt_arena_alloc(sizeof *chunk, sizeof *chunk);
    if (!chunk)
        return -ENOMEM;
    chunk->tags = tag_of(block->address);
    fill(chunk->entries[0], block);
    size_t index = (block->address >> REGION_BITS) & (LEAF_REGIONS - 1);
    struct leaf *leaf = (struct leaf *)((char *)(region - index) - offsetof(struct leaf, regions));
    set_bit(leaf->used, index / REGIONS_PER_BIT);
    chunk->next = __atomic_load_n(region, __ATOMIC_RELAXED);
    while (!__atomic_compare_exchange_n(region, &chunk->next, lt_arena_ref(chunk), true, __ATOMIC_RELEASE,
                                        __ATOMIC_RELAXED))
        ;
    __atomic_fetch_add(&root->chunks, 1, __ATOMIC_RELAXED);
    return 0;
}

static LT_COLD int replace(uint64_t *entry, const struct lt_live_block *block, struct lt_live_block *old) {
    lt_live_read(entry, old);
    old->address = block->address;
    __atomic_store_n(&entry[0], 0, __ATOMIC_RELEASE); /* a reader must not pair the old word 0 with the new word 1 */
    fill(entry, block);
    return 1;
}

int lt_live_insert(const struct lt_live_block *block, struct lt_live_block *old) {
    uint32_t *region = region_of(block->address);
    if (lt_unlikely(!region) && !(region = make_leaf(block->address)))
        return -ENOMEM;
    const uint8_t tag = tag_of(block->address);
    const uint64_t granule = granule_of(block->address);
    for (;;) {
        struct chunk *room = NULL;
        for (struct chunk *chunk = chunk_at(region); chunk; chunk = chunk_at(&chunk->next)) {
            uint64_t tags = __atomic_load_n(&chunk->tags, __ATOMIC_ACQUIRE);
            uint64_t *entry = entry_in(chunk, tags_equal(tags, tag), granule);
            if (lt_unlikely(entry))
                return replace(entry, block, old);
            if (!room && (~tags & EACH_BIT_7))
                room = chunk;
        }
        if (lt_unlikely(!room))
            return insert_in_new_chunk(region, block);
        uint64_t *entry = claim(room, tag);
        if (lt_likely(entry)) {
            fill(entry, block);
            return 0;
        }
    }
}

uint64_t *lt_live_find(uintptr_t address) {
    uint32_t *region = lt_likely(lt_live_address_fits(address)) ? region_of(address) : NULL;
    if (lt_unlikely(!region))
        return NULL;
    const uint8_t tag = tag_of(address);
    const uint64_t granule = granule_of(address);
    for (struct chunk *chunk = chunk_at(region); chunk; chunk = chunk_at(&chunk->next)) {
        uint64_t tags = __atomic_load_n(&chunk->tags, __ATOMIC_ACQUIRE);
        uint64_t *entry = entry_in(chunk, tags_equal(tags, tag), granule);
        if (entry)
            return entry;
    }
    return NULL;
}

void lt_live_prefetch(uintptr_t address) {
    uint32_t *region = lt_likely(lt_live_address_fits(address)) ? region_of(address) : NULL;
    if (lt_likely(region))
        __builtin_prefetch(chunk_at(region), 1);
}

void lt_live_read(const uint64_t *entry, struct lt_live_block *block) {
    decode(__atomic_load_n(&entry[0], __ATOMIC_RELAXED), __atomic_load_n(&entry[1], __ATOMIC_RELAXED), block);
}

void lt_live_set_state(uint64_t *entry, uint32_t set, uint32_t clear) {
    uint64_t word0 = __atomic_load_n(entry, __ATOMIC_RELAXED);
    __atomic_store_n(entry, (word0 | set) & ~(uint64_t)clear, __ATOMIC_RELEASE);
}

void lt_live_remove(uint64_t *entry) {
    struct chunk *chunk = (struct chunk *)((uintptr_t)entry & ~(sizeof *chunk - 1));
    uint8_t *tag = (uint8_t *)&chunk->tags + (entry - chunk->entries[0]) / 2;
    __atomic_store_n(entry, 0, __ATOMIC_RELEASE);
    __atomic_store_n(tag, 0, __ATOMIC_RELEASE);
}

/* Reads the entries of a region into `raw`, by granule; returns which granules are held. */
static void read_region(struct chunk *chunk, uint64_t raw[][2], uint64_t held[2]) {
    held[0] = held[1] = 0;
    for (; chunk; chunk = chunk_at(&chunk->next))
        for (int i = 0; i < CHUNK_ENTRIES; i++) {
            struct lt_pair pair = lt_load16(chunk->entries[i]);
            size_t granule = (pair.first & GRANULE_MASK) >> GRANULE_SHIFT;
            uint64_t bit = (uint64_t)1 << granule % 64;
            bool second = held[granule / 64] & bit; /* one of the two is MOVING: the other is the present owner's */
            if (!(pair.first & LT_LIVE_HELD) || (second && pair.first & LT_LIVE_MOVING))
                continue;
            held[granule / 64] |= bit;
            raw[granule][0] = pair.first;
            raw[granule][1] = pair.second;
        }
}

static void list_region(uint64_t region, const uint64_t held[2], struct lt_live_region *out) {
    out->count = 0;
    for (size_t half = 0; half < 2; half++)
        for (uint64_t bits = held[half]; bits; bits &= bits - 1) {
            size_t granule = half * 64 + (size_t)__builtin_ctzll(bits);
            struct lt_live_block *block = &out->blocks[out->count++];
            decode(out->raw[granule][0], out->raw[granule][1], block);
            block->address = region << REGION_BITS | granule << GRANULE_BITS;
        }
}

/* The first bit set at or after `from`, or `end`. */
static size_t next_bit(const uint64_t *bits, size_t from, size_t end) {
    while (from < end) {
        uint64_t word = __atomic_load_n(&bits[from / 64], __ATOMIC_ACQUIRE) >> from % 64;
        if (word)
            return from + (size_t)__builtin_ctzll(word);
        from = (from / 64 + 1) * 64;
    }
    return end;
}

/* The chain of the first region in use at or after *region, which becomes that region; NULL at the end. */
static struct chunk *next_chain(uint64_t *region) {
    size_t index = *region / LEAF_REGIONS, at = *region % LEAF_REGIONS;
    for (; (index = next_bit(root->used, index, ROOT_LEAVES)) < ROOT_LEAVES; index++, at = 0) {
        if (index != *region / LEAF_REGIONS)
            at = 0;
        struct leaf *leaf = lt_arena_at(__atomic_load_n(&root->leaves[index], __ATOMIC_ACQUIRE));
        for (; at < LEAF_REGIONS; at++) {
            if (at % REGIONS_PER_BIT == 0)
                at = REGIONS_PER_BIT * next_bit(leaf->used, at / REGIONS_PER_BIT, LEAF_REGIONS / REGIONS_PER_BIT);
            if (at < LEAF_REGIONS && __atomic_load_n(&leaf->regions[at], __ATOMIC_RELAXED)) {
                *region = index * LEAF_REGIONS + at;
                return chunk_at(&leaf->regions[at]);
            }
        }
    }
    return NULL;
}

bool lt_live_next_region(struct lt_live_cursor *cursor, struct lt_live_region *out) {
    uint64_t held[2];
    for (struct chunk *chunk; (chunk = next_chain(&cursor->region)); cursor->region++) {
        read_region(chunk, out->raw, held);
        if (!(held[0] | held[1]))
            continue;
        list_region(cursor->region++, held, out);
        return true;
    }
    return false;
}

/* Of the root and the leaves only the pages that hold something were ever touched. */
uint64_t lt_live_bytes(void) {
    uint64_t pages = 0;
    for (size_t index = 0; (index = next_bit(root->used, index, ROOT_LEAVES)) < ROOT_LEAVES; index++) {
        const struct leaf *leaf = lt_arena_at(__atomic_load_n(&root->leaves[index], __ATOMIC_ACQUIRE));
        pages++;
        for (size_t i = 0; i < LT_ARRAY_SIZE(leaf->used); i++)
            pages += (uint64_t)__builtin_popcountll(__atomic_load_n(&leaf->used[i], __ATOMIC_RELAXED));
    }
    return __atomic_load_n(&root->chunks, __ATOMIC_RELAXED) * sizeof(struct chunk) + pages * LT_PAGE;
}
