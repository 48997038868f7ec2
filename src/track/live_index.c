/* Why tags, and not a search through the entries: a search touches the one cache line of a chunk, compares all eight
 * entries at once, and leaves the granule out of the entry, which has no bit to spare.
 *
 * Between reading the tags and reading the entry, an entry with the right tag may have been freed and claimed for
 * another address: so a search reads the tag again, after the entry. A tag that is still the right one has been so all
 * the time, because nobody but the owner of an address claims a slot for it: an entry that is not the owner's can be
 * freed meanwhile (it is what another thread is moving away from), but not come back.
 *
 * The reader can only be wrong where an entry changes its occupant and back, to one of the same site, size and birth,
 * between its two looks, and again between two of the words that it reads at each. Such a mixture stands for a block
 * that lived less long than the look took. */
#include "track/live_index.h"

#include "base/attrs.h"
#include "os/arena.h"
#include "os/memory.h"
#include "track/live_chunk.h"

#include <errno.h>
#include <stddef.h>

enum {
    REGION_BITS = 10,
    LEAF_BITS = 30,
    ADDRESS_BITS = 47,
    LEAF_REGIONS = 1 << (LEAF_BITS - REGION_BITS),
    ROOT_LEAVES = 1 << (ADDRESS_BITS - LEAF_BITS),
    REGIONS_PER_BIT = 1024, /* one page of a leaf's regions */
};

/* Bitmaps say which leaves, and which pages of a leaf, hold anything: a walk touches no others. */
struct leaf {
    uint64_t used[LEAF_REGIONS / REGIONS_PER_BIT / 64];
    uint32_t regions[LEAF_REGIONS]; /* arena ref of the oldest chunk */
};

struct root {
    uint64_t used[ROOT_LEAVES / 64];
    uint64_t chunks;              /* how many there are */
    uint32_t leaves[ROOT_LEAVES]; /* arena ref of struct leaf */
};

static struct root *root;

int lt_live_init(void) {
    root = lt_arena_alloc(sizeof *root, 4096);
    return root ? 0 : -ENOMEM;
}

bool lt_live_address_fits(uintptr_t address) {
    /* Turned right, a misaligned address is a huge one. */
    return ((address >> GRANULE_BITS) | (address << (64 - GRANULE_BITS))) >> (ADDRESS_BITS - GRANULE_BITS) == 0;
}

bool lt_live_size_fits(uint64_t size) {
    return size >> SIZE_BITS == 0;
}

static LT_ALWAYS_INLINE uint32_t *region_of(uintptr_t address) {
    struct leaf *leaf = lt_arena_at(__atomic_load_n(&root->leaves[address >> LEAF_BITS], __ATOMIC_ACQUIRE));
    return lt_likely(leaf) ? &leaf->regions[(address >> REGION_BITS) & (LEAF_REGIONS - 1)] : NULL;
}

static LT_ALWAYS_INLINE struct chunk *chunk_at(const uint32_t *ref) {
    return lt_arena_at(__atomic_load_n(ref, __ATOMIC_ACQUIRE));
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

/* At the end: the chunk that is full already is the better one to search first. */
static void append(uint32_t *region, const struct chunk *chunk) {
    uint32_t *link = region, none = 0;
    while (!__atomic_compare_exchange_n(link, &none, lt_arena_ref(chunk), false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
        link = &((struct chunk *)lt_arena_at(none))->next;
        none = 0;
    }
}

static int insert_in_new_chunk(uint32_t *region, const struct lt_live_block *block, bool large) {
    struct chunk *chunk = lt_arena_alloc(sizeof *chunk, sizeof *chunk);
    if (!chunk)
        return -ENOMEM;
    const uint64_t slots = room_in(0, large);
    chunk->word = with_taken(0, slots, tag_of(block->address), large);
    fill(chunk, slots, block, large);
    size_t index = (block->address >> REGION_BITS) & (LEAF_REGIONS - 1);
    struct leaf *leaf = (struct leaf *)((char *)(region - index) - offsetof(struct leaf, regions));
    set_bit(leaf->used, index / REGIONS_PER_BIT);
    append(region, chunk);
    __atomic_fetch_add(&root->chunks, 1, __ATOMIC_RELAXED);
    return 0;
}

/* The address has a new entry; the one that was still held goes. */
static LT_COLD int replace(const struct place *held, uintptr_t address, struct lt_live_block *old) {
    lt_live_read(&held->chunk->entries[held->slot], old);
    old->address = address;
    clear(held);
    return 1;
}

/* Any block. */
static LT_NOINLINE int insert_any(const struct lt_live_block block, uint32_t *region, struct lt_live_block *old) {
    const uint8_t tag = tag_of(block.address);
    const uint64_t wanted = in_each_byte(tag);
    const bool large = is_large(&block);
    if (!region && !(region = make_leaf(block.address)))
        return -ENOMEM;
    for (;;) {
        struct chunk *room = NULL;
        struct place held = {.chunk = NULL};
        for (struct chunk *chunk = chunk_at(region); chunk; chunk = chunk_at(&chunk->next)) {
            const uint64_t tags = __atomic_load_n(&chunk->word, __ATOMIC_ACQUIRE);
            if (!held.chunk)
                held = held_in(chunk, zero_bytes(tags ^ wanted), tag);
            if (!room && room_in(tags, large))
                room = chunk;
        }
        const uint64_t slots = room ? claim(room, tag, large) : 0;
        if (room && !slots)
            continue;
        if (!room && insert_in_new_chunk(region, &block, large) != 0)
            return -ENOMEM;
        if (room)
            fill(room, slots, &block, large);
        return held.chunk ? replace(&held, block.address, old) : 0;
    }
}

/* HOT PATH: a small block at an address that no entry has, where a chunk of the region has room. */
int lt_live_insert(const struct lt_live_block *block, uint32_t *region, struct lt_live_block *old) {
    const uint8_t tag = tag_of(block->address);
    const uint64_t wanted = in_each_byte(tag);
    struct chunk *room = NULL;
    uint64_t tags = 0, slots = 0;
    if (lt_unlikely(!region || is_large(block)))
        return insert_any(*block, region, old);
    for (struct chunk *chunk = chunk_at(region); chunk; chunk = chunk_at(&chunk->next)) {
        const uint64_t here = __atomic_load_n(&chunk->word, __ATOMIC_ACQUIRE);
        if (lt_unlikely(zero_bytes(here ^ wanted)))
            return insert_any(*block, region, old);
        if (!slots && (slots = room_in(here, false))) {
            room = chunk;
            tags = here;
        }
    }
    if (lt_unlikely(!slots) || lt_unlikely(!claim_seen(room, tags, slots, tag)))
        return insert_any(*block, region, old);
    fill(room, slots, block, false);
    return 0;
}

static struct place search(uintptr_t address) {
    const uint32_t *region = lt_likely(lt_live_address_fits(address)) ? region_of(address) : NULL;
    if (lt_unlikely(!region))
        return (struct place){.chunk = NULL};
    const uint8_t tag = tag_of(address);
    const uint64_t wanted = in_each_byte(tag);
    for (struct chunk *chunk = chunk_at(region); chunk; chunk = chunk_at(&chunk->next)) {
        const uint64_t equal = zero_bytes(__atomic_load_n(&chunk->word, __ATOMIC_ACQUIRE) ^ wanted);
        const struct place found = held_in(chunk, equal, tag);
        if (found.chunk)
            return found;
    }
    return (struct place){.chunk = NULL};
}

uint32_t *lt_live_find(uintptr_t address) {
    const struct place found = search(address);
    return found.chunk ? &found.chunk->entries[found.slot] : NULL;
}

uint32_t *lt_live_place(uintptr_t address) {
    uint32_t *region = region_of(address);
    if (lt_likely(region))
        __builtin_prefetch(chunk_at(region), 1);
    return region;
}

void lt_live_read(const uint32_t *entry, struct lt_live_block *block) {
    const struct record record = load_record(chunk_of(entry), slot_of(entry));
    decode(&record, block);
}

void lt_live_set_state(uint32_t *entry, uint32_t set, uint32_t unset) {
    uint32_t word = __atomic_load_n(entry, __ATOMIC_RELAXED);
    word |= set << STATE_SHIFT;
    __atomic_store_n(entry, word & ~(unset << STATE_SHIFT), __ATOMIC_RELEASE);
}

void lt_live_remove(uint32_t *entry) {
    const struct place at = {chunk_of(entry), slot_of(entry), __atomic_load_n(entry, __ATOMIC_RELAXED)};
    clear(&at);
}

static LT_NOINLINE bool take_any(uintptr_t address, struct lt_live_block *block) {
    const struct place found = search(address);
    if (!found.chunk)
        return false;
    const struct record record = load_record(found.chunk, found.slot);
    decode(&record, block);
    clear(&found);
    return true;
}

/* HOT PATH: a small block whose state is none. */
bool lt_live_take(uintptr_t address, struct lt_live_block *block) {
    const uint32_t *region = lt_likely(lt_live_address_fits(address)) ? region_of(address) : NULL;
    if (lt_unlikely(!region))
        return false;
    const uint8_t tag = tag_of(address);
    const uint64_t wanted = in_each_byte(tag);
    for (struct chunk *chunk = chunk_at(region); chunk; chunk = chunk_at(&chunk->next)) {
        const uint64_t equal = zero_bytes(__atomic_load_n(&chunk->word, __ATOMIC_ACQUIRE) ^ wanted);
        if (!equal)
            continue;
        const unsigned slot = lowest_slot(equal);
        const uint32_t entry = __atomic_load_n(&chunk->entries[slot], __ATOMIC_ACQUIRE);
        if (lt_unlikely(!is_plain(entry)) || lt_unlikely(__atomic_load_n(&chunk->tags[slot], __ATOMIC_RELAXED) != tag))
            return take_any(address, block);
        *block = (struct lt_live_block){.size = size_of_plain(entry), .site = entry >> SITE_SHIFT};
        clear_slot(chunk, slot);
        return true;
    }
    return false;
}

/* Reads the entries of a region, by granule; returns which granules are held. */
static void read_region(const struct chunk *chunk, struct lt_live_block *by_granule, uint64_t held[2]) {
    held[0] = held[1] = 0;
    for (; chunk; chunk = chunk_at(&chunk->next))
        for (unsigned i = 0; i < SLOTS; i++) {
            struct record record;
            if (!read_slot(chunk, i, &record))
                continue;
            const size_t granule = record.tag & (LT_LIVE_REGION_BLOCKS - 1);
            const uint64_t bit = (uint64_t)1 << granule % 64;
            if (held[granule / 64] & bit && record.entry & MOVING)
                continue; /* the other one is the present owner's */
            held[granule / 64] |= bit;
            decode(&record, &by_granule[granule]);
        }
}

static void list_region(uint64_t region, const uint64_t held[2], struct lt_live_region *out) {
    out->count = 0;
    for (size_t half = 0; half < 2; half++)
        for (uint64_t bits = held[half]; bits; bits &= bits - 1) {
            size_t granule = half * 64 + (size_t)__builtin_ctzll(bits);
            struct lt_live_block *block = &out->blocks[out->count++];
            *block = out->by_granule[granule];
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
        read_region(chunk, out->by_granule, held);
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
