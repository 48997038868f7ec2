/* Why tags, and not a search through the entries: a search touches the one cache line of a chunk, compares all six
 * entries at once, and leaves the granule out of the entry, which has no bit to spare.
 *
 * Between reading the tags and reading the entry, an entry with the right tag may have been freed and claimed for
 * another address: so a search reads the tag again, after the entry. A tag that is still the right one has been so all
 * the time, because nobody but the owner of an address claims a slot for it: an entry that is not the owner's can be
 * freed meanwhile (it is what another thread is moving away from), but not come back.
 *
 * Why a companion lies in the chunk of its entry and not at an address of its own, inside the block: the address would
 * have to be looked up, and would be somebody else's while a thread is still moving away from it.
 *
 * Two sizes of access meet at the tags: eight bytes (load, CAS) and one byte (the release's store; the store to late[0]
 * and late[1]). Both architectures order them as if the bytes were eight: a byte stored between a CAS's load and store
 * makes the CAS fail.
 *
 * The reader can only be wrong where an entry changes its occupant and back, to one of the same site, size and birth,
 * between its two looks, and again between the two words that it reads at each. Such a mixture stands for a block that
 * lived less long than the look took.
 *
 * A claim can be left without its entry (a signal handler jumped out of the hook, a fork came while another thread was
 * inside). Such a slot is lost: it can't be told from one whose entry is already zero and whose tag is about to be, and
 * that one must not be touched, since after a reallocation the address has a new owner by then. */
#include "track/live_index.h"

#include "base/attrs.h"
#include "os/arena.h"
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
    CHUNK_ENTRIES = 6,
    BIRTH_UNIT_BITS = 6,
    BIRTH_LOW_BITS = 18, /* in the entry; the others are `late` */
};
_Static_assert(LT_LIVE_BIRTH_UNIT == 1 << BIRTH_UNIT_BITS, "the same unit");

/* The fields of an entry. */
enum {
    SIZE_MASK = 0xfff,
    HAS_COMPANION = SIZE_MASK + 1 - CHUNK_ENTRIES, /* + the companion's slot */
    SMALL_END = HAS_COMPANION - 1,                 /* sizes from here on need a companion */
    STATE_SHIFT = 12,
    MOVING = LT_LIVE_MOVING << STATE_SHIFT,
    STATE_MASK = MOVING | LT_LIVE_IGNORED << STATE_SHIFT,
    BIRTH_SHIFT = 14,
    COMPANION_SHIFT = 16,
    SITE_SHIFT = 32,
};

#define EACH_BYTE  0x0000010101010101u /* of the six tags; the other two bytes are late[0] and late[1] */
#define EACH_BIT_7 (EACH_BYTE << 7)

struct chunk {
    union {
        uint64_t word; /* the tags, and two bytes more */
        struct {
            uint8_t tags[CHUNK_ENTRIES], late[CHUNK_ENTRIES];
            uint32_t next; /* arena ref */
        };
    };
    uint64_t entries[CHUNK_ENTRIES];
};
_Static_assert(sizeof(struct chunk) == 64, "a cache line");

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

static uint8_t tag_of(uintptr_t address) {
    return (uint8_t)(0x80 | (address >> GRANULE_BITS));
}

/* Whether it is the entry of a block that is not MOVING. */
static LT_ALWAYS_INLINE bool is_held(uint64_t entry) {
    return (uint32_t)(entry & (SIZE_MASK | MOVING)) - 1 < SIZE_MASK;
}

static LT_ALWAYS_INLINE bool has_companion(uint64_t entry) {
    return lt_unlikely((entry & SIZE_MASK) >= HAS_COMPANION);
}

static LT_ALWAYS_INLINE unsigned companion_of(uint64_t entry) {
    return (unsigned)(entry & SIZE_MASK) - HAS_COMPANION;
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

static LT_ALWAYS_INLINE unsigned lowest_slot(uint64_t bits) {
    return (unsigned)__builtin_ctzll(bits) / 8;
}

/* The held entry with this tag, among those that had it a moment ago (`bits`). */
static LT_ALWAYS_INLINE uint64_t *entry_in(struct chunk *chunk, uint64_t bits, uint8_t tag) {
    for (; bits; bits &= bits - 1) {
        const unsigned slot = lowest_slot(bits);
        if (lt_likely(is_held(__atomic_load_n(&chunk->entries[slot], __ATOMIC_ACQUIRE))) &&
            lt_likely(__atomic_load_n(&chunk->tags[slot], __ATOMIC_RELAXED) == tag))
            return &chunk->entries[slot];
    }
    return NULL;
}

static LT_ALWAYS_INLINE struct chunk *chunk_of(const uint64_t *entry) {
    return (struct chunk *)((uintptr_t)entry & ~(sizeof(struct chunk) - 1));
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

/* Where a block can go: bit 7 of the lowest free tag, or of the two lowest; 0 where there is no room. */
static LT_ALWAYS_INLINE uint64_t room_in(uint64_t tags, bool large) {
    const uint64_t free = ~tags & EACH_BIT_7, rest = free & (free - 1);
    if (lt_likely(!large))
        return free ^ rest;
    return rest ? free ^ (rest & (rest - 1)) : 0;
}

/* Claims that room; 0 where there is none by now. */
static LT_ALWAYS_INLINE uint64_t claim(struct chunk *chunk, uint8_t tag, bool large) {
    uint64_t tags = __atomic_load_n(&chunk->word, __ATOMIC_RELAXED), slots;
    do {
        slots = room_in(tags, large);
        if (lt_unlikely(!slots))
            return 0;
    } while (!__atomic_compare_exchange_n(&chunk->word, &tags, tags | (slots >> 7) * tag, true, __ATOMIC_ACQUIRE,
                                          __ATOMIC_RELAXED));
    return slots;
}

/* Fills the slots that room_in gave. `late` changes every two days. */
static LT_ALWAYS_INLINE void fill(struct chunk *chunk, uint64_t slots, const struct lt_live_block *block, bool large) {
    const unsigned slot = lowest_slot(slots);
    const uint32_t birth = block->birth >> BIRTH_UNIT_BITS;
    const uint8_t late = (uint8_t)(birth >> BIRTH_LOW_BITS);
    uint32_t size = (uint32_t)block->size + 1;
    if (lt_unlikely(large)) {
        const unsigned companion = lowest_slot(slots & (slots - 1));
        __atomic_store_n(&chunk->entries[companion], block->size << COMPANION_SHIFT, __ATOMIC_RELAXED);
        size = HAS_COMPANION + companion;
    }
    if (lt_unlikely(__atomic_load_n(&chunk->late[slot], __ATOMIC_RELAXED) != late))
        __atomic_store_n(&chunk->late[slot], late, __ATOMIC_RELAXED);
    __atomic_store_n(&chunk->entries[slot], (uint64_t)block->site << SITE_SHIFT | birth << BIRTH_SHIFT | size,
                     __ATOMIC_RELEASE);
}

static LT_ALWAYS_INLINE void clear(struct chunk *chunk, unsigned slot, uint64_t entry) {
    __atomic_store_n(&chunk->entries[slot], 0, __ATOMIC_RELEASE);
    if (has_companion(entry)) {
        __atomic_store_n(&chunk->entries[companion_of(entry)], 0, __ATOMIC_RELEASE);
        __atomic_store_n(&chunk->tags[companion_of(entry)], 0, __ATOMIC_RELEASE);
    }
    __atomic_store_n(&chunk->tags[slot], 0, __ATOMIC_RELEASE);
}

/* All that is written about a slot. */
struct slot {
    uint64_t entry, companion;
    uint8_t late, tag;
};

static LT_ALWAYS_INLINE struct slot load_slot(const struct chunk *chunk, unsigned i) {
    struct slot slot = {.entry = __atomic_load_n(&chunk->entries[i], __ATOMIC_ACQUIRE)};
    if (has_companion(slot.entry))
        slot.companion = __atomic_load_n(&chunk->entries[companion_of(slot.entry)], __ATOMIC_ACQUIRE);
    slot.late = __atomic_load_n(&chunk->late[i], __ATOMIC_ACQUIRE);
    slot.tag = __atomic_load_n(&chunk->tags[i], __ATOMIC_ACQUIRE);
    return slot;
}

static LT_ALWAYS_INLINE void decode(const struct slot *slot, struct lt_live_block *block) {
    const uint32_t low = (uint32_t)slot->entry >> BIRTH_SHIFT;
    block->size = has_companion(slot->entry) ? slot->companion >> COMPANION_SHIFT : (slot->entry & SIZE_MASK) - 1;
    block->birth = ((uint32_t)slot->late << BIRTH_LOW_BITS | low) << BIRTH_UNIT_BITS;
    block->site = (uint32_t)(slot->entry >> SITE_SHIFT);
    block->state = (uint32_t)(slot->entry & STATE_MASK) >> STATE_SHIFT;
}

/* At the end: the chunk that is full already is the better one to search first. */
static void append(uint32_t *region, const struct chunk *chunk) {
    uint32_t *link = region, none = 0;
    while (!__atomic_compare_exchange_n(link, &none, lt_arena_ref(chunk), false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
        link = &((struct chunk *)lt_arena_at(none))->next;
        none = 0;
    }
}

static LT_COLD int insert_in_new_chunk(uint32_t *region, const struct lt_live_block *block, bool large) {
    struct chunk *chunk = lt_arena_alloc(sizeof *chunk, sizeof *chunk);
    if (!chunk)
        return -ENOMEM;
    const uint64_t slots = room_in(0, large);
    chunk->word = (slots >> 7) * tag_of(block->address);
    fill(chunk, slots, block, large);
    size_t index = (block->address >> REGION_BITS) & (LEAF_REGIONS - 1);
    struct leaf *leaf = (struct leaf *)((char *)(region - index) - offsetof(struct leaf, regions));
    set_bit(leaf->used, index / REGIONS_PER_BIT);
    append(region, chunk);
    __atomic_fetch_add(&root->chunks, 1, __ATOMIC_RELAXED);
    return 0;
}

/* The address has a new entry; the one that was still held goes. */
static LT_COLD int replace(uint64_t *entry, uintptr_t address, struct lt_live_block *old) {
    lt_live_read(entry, old);
    old->address = address;
    lt_live_remove(entry);
    return 1;
}

int lt_live_insert(const struct lt_live_block *block, uint32_t *region, struct lt_live_block *old) {
    if (lt_unlikely(!region) && !(region = make_leaf(block->address)))
        return -ENOMEM;
    const uint8_t tag = tag_of(block->address);
    const bool large = block->size >= SMALL_END;
    for (;;) {
        struct chunk *room = NULL;
        uint64_t *held = NULL;
        for (struct chunk *chunk = chunk_at(region); chunk; chunk = chunk_at(&chunk->next)) {
            const uint64_t tags = __atomic_load_n(&chunk->word, __ATOMIC_ACQUIRE), equal = tags_equal(tags, tag);
            if (lt_unlikely(equal) && !held)
                held = entry_in(chunk, equal, tag);
            if (!room && room_in(tags, large))
                room = chunk;
        }
        if (lt_unlikely(!room)) {
            int status = insert_in_new_chunk(region, block, large);
            return status == 0 && held ? replace(held, block->address, old) : status;
        }
        const uint64_t slots = claim(room, tag, large);
        if (lt_likely(slots)) {
            fill(room, slots, block, large);
            return lt_unlikely(held) ? replace(held, block->address, old) : 0;
        }
    }
}

static LT_ALWAYS_INLINE uint64_t *search(uintptr_t address) {
    uint32_t *region = lt_likely(lt_live_address_fits(address)) ? region_of(address) : NULL;
    if (lt_unlikely(!region))
        return NULL;
    const uint8_t tag = tag_of(address);
    for (struct chunk *chunk = chunk_at(region); chunk; chunk = chunk_at(&chunk->next)) {
        uint64_t *entry = entry_in(chunk, tags_equal(__atomic_load_n(&chunk->word, __ATOMIC_ACQUIRE), tag), tag);
        if (entry)
            return entry;
    }
    return NULL;
}

uint64_t *lt_live_find(uintptr_t address) {
    return search(address);
}

uint32_t *lt_live_place(uintptr_t address) {
    uint32_t *region = region_of(address);
    if (lt_likely(region))
        __builtin_prefetch(chunk_at(region), 1);
    return region;
}

static unsigned slot_of(const uint64_t *entry) {
    return (unsigned)(entry - chunk_of(entry)->entries);
}

void lt_live_read(const uint64_t *entry, struct lt_live_block *block) {
    const struct slot slot = load_slot(chunk_of(entry), slot_of(entry));
    decode(&slot, block);
}

void lt_live_set_state(uint64_t *entry, uint32_t set, uint32_t unset) {
    uint64_t word = __atomic_load_n(entry, __ATOMIC_RELAXED);
    word |= (uint64_t)set << STATE_SHIFT;
    __atomic_store_n(entry, word & ~((uint64_t)unset << STATE_SHIFT), __ATOMIC_RELEASE);
}

void lt_live_remove(uint64_t *entry) {
    clear(chunk_of(entry), slot_of(entry), __atomic_load_n(entry, __ATOMIC_RELAXED));
}

bool lt_live_take(uintptr_t address, struct lt_live_block *block) {
    uint64_t *entry = search(address);
    if (lt_unlikely(!entry))
        return false;
    const struct slot slot = load_slot(chunk_of(entry), slot_of(entry));
    decode(&slot, block);
    clear(chunk_of(entry), slot_of(entry), slot.entry);
    return true;
}

/* Whether they are the same occupant's; its state may have changed. */
static bool same(const struct slot *a, const struct slot *b) {
    return ((a->entry ^ b->entry) & ~(uint64_t)STATE_MASK) == 0 && a->companion == b->companion && a->late == b->late &&
           a->tag == b->tag;
}

/* The block in slot i, if it holds one and keeps it while it is looked at. */
static LT_ALWAYS_INLINE bool read_slot(const struct chunk *chunk, unsigned i, struct slot *slot) {
    *slot = load_slot(chunk, i);
    if (!(slot->entry & SIZE_MASK))
        return false;
    const struct slot again = load_slot(chunk, i);
    return same(slot, &again);
}

/* Reads the entries of a region, by granule; returns which granules are held. */
static void read_region(const struct chunk *chunk, struct lt_live_block *by_granule, uint64_t held[2]) {
    held[0] = held[1] = 0;
    for (; chunk; chunk = chunk_at(&chunk->next))
        for (unsigned i = 0; i < CHUNK_ENTRIES; i++) {
            struct slot slot;
            if (!read_slot(chunk, i, &slot))
                continue;
            const size_t granule = slot.tag & (LT_LIVE_REGION_BLOCKS - 1);
            const uint64_t bit = (uint64_t)1 << granule % 64;
            if (held[granule / 64] & bit && slot.entry & MOVING)
                continue; /* the other one is the present owner's */
            held[granule / 64] |= bit;
            decode(&slot, &by_granule[granule]);
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
