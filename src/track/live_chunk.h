/* A chunk of the live index: its layout is drawn in live_index.h; what can be done to its slots is here. For
 * live_index.c only.
 *
 * Why a companion lies in the chunk of its entry and not at an address of its own, inside the block: the address would
 * have to be looked up, and would be somebody else's while a thread is still moving away from it.
 *
 * Two sizes of access meet at the tags: eight bytes (load, CAS) and one byte (the release's store). Both architectures
 * order them as if the bytes were eight: a byte stored between a CAS's load and store makes the CAS fail.
 *
 * A claim can be left without its entry (a signal handler jumped out of the hook, a fork came while another thread was
 * inside). Such a slot is lost: it can't be told from one whose entry is already zero and whose tag is about to be, and
 * that one must not be touched, since after a reallocation the address has a new owner by then. */
#ifndef LT_TRACK_LIVE_CHUNK_H
#define LT_TRACK_LIVE_CHUNK_H

#include "base/attrs.h"
#include "track/live_index.h"
#include "track/site_numbers.h"

#include <stdbool.h>
#include <stdint.h>

enum { GRANULE_BITS = 3, SIZE_BITS = 42, SLOTS = 8 };

/* The fields of an entry. */
enum {
    SIZE_MASK = 0x3ff,
    HAS_COMPANION = SIZE_MASK + 1 - SLOTS, /* + the companion's slot */
    SMALL_END = HAS_COMPANION - 1,         /* sizes from here on need a companion, */
    STATE_SHIFT = 10,
    MOVING = LT_LIVE_MOVING << STATE_SHIFT,
    STATE_MASK = MOVING | LT_LIVE_IGNORED << STATE_SHIFT,
    SITE_SHIFT = 12,
    NEAR_SITE_BITS = 32 - SITE_SHIFT, /* and sites whose number has more bits */
    SIZE_HIGH_BITS = SIZE_BITS - 32,  /* in the companion's birth */
};
_Static_assert(LT_SITE_BITS - NEAR_SITE_BITS + SIZE_HIGH_BITS == 16, "a companion has room for both");

/* A birth is a number of 2 + 18 bits: exponent, steps of 8^exponent units. The low 16 are in `births`. */
enum { BIRTH_UNIT_BITS = 6, STEP_BITS = 18, STEPS = 1 << STEP_BITS, EXPONENT_BITS = 3, LATE_BITS = 4 };

#define EACH_BYTE  UINT64_C(0x0101010101010101)
#define EACH_BIT_7 (EACH_BYTE << 7)

/* Tags. No tag is 1, which zero_bytes may take for a 0. */
enum { TAKEN = 0x80, COMPANION = 2 };

struct chunk {
    union {
        uint64_t word;
        uint8_t tags[SLOTS];
    };
    uint32_t next; /* arena ref */
    uint32_t late; /* LATE_BITS of each slot */
    uint32_t entries[SLOTS];
    uint16_t births[SLOTS];
};
_Static_assert(sizeof(struct chunk) == 64, "a cache line");

static LT_ALWAYS_INLINE uint8_t tag_of(uintptr_t address) {
    return (uint8_t)(TAKEN | (address >> GRANULE_BITS));
}

/* Whether it is the entry of a block that is not MOVING. */
static LT_ALWAYS_INLINE bool is_held(uint32_t entry) {
    return (entry & (SIZE_MASK | MOVING)) - 1 < SIZE_MASK;
}

/* Whether it is the entry of a block without a companion, and its state is none. */
static LT_ALWAYS_INLINE bool is_plain(uint32_t entry) {
    return (entry & (SIZE_MASK | STATE_MASK)) - 1 < SMALL_END;
}

static LT_ALWAYS_INLINE uint32_t size_of_plain(uint32_t entry) {
    return (entry & SIZE_MASK) - 1;
}

static LT_ALWAYS_INLINE bool has_companion(uint32_t entry) {
    return lt_unlikely((entry & SIZE_MASK) >= HAS_COMPANION);
}

static LT_ALWAYS_INLINE unsigned companion_of(uint32_t entry) {
    return (entry & SIZE_MASK) - HAS_COMPANION;
}

static LT_ALWAYS_INLINE uint64_t in_each_byte(uint8_t byte) {
    return byte * EACH_BYTE;
}

/* Bit 7 of each byte that is 0. Of the lowest one for certain; of a byte above a 0 it may be set where that is 1. */
static LT_ALWAYS_INLINE uint64_t zero_bytes(uint64_t bytes) {
    return (bytes - EACH_BYTE) & ~bytes & EACH_BIT_7;
}

static LT_ALWAYS_INLINE unsigned lowest_slot(uint64_t bits) {
    return (unsigned)__builtin_ctzll(bits) / 8;
}

/* Where an entry is. */
struct place {
    struct chunk *chunk; /* NULL: nowhere */
    unsigned slot;
    uint32_t entry; /* what it says */
};

/* The held entry with this tag, among slots that may have had it a moment ago (`bits`). */
static LT_ALWAYS_INLINE struct place held_in(struct chunk *chunk, uint64_t bits, uint8_t tag) {
    for (; bits; bits &= bits - 1) {
        const unsigned slot = lowest_slot(bits);
        const uint32_t entry = __atomic_load_n(&chunk->entries[slot], __ATOMIC_ACQUIRE);
        if (lt_likely(is_held(entry)) && lt_likely(__atomic_load_n(&chunk->tags[slot], __ATOMIC_RELAXED) == tag))
            return (struct place){chunk, slot, entry};
    }
    return (struct place){.chunk = NULL};
}

static LT_ALWAYS_INLINE struct chunk *chunk_of(const uint32_t *entry) {
    return (struct chunk *)((uintptr_t)entry & ~(sizeof(struct chunk) - 1));
}

static inline unsigned slot_of(const uint32_t *entry) {
    return (unsigned)(entry - chunk_of(entry)->entries);
}

/* Where a block can go: bit 7 of the lowest free tag, or of the two lowest; 0 where there is no room. */
static LT_ALWAYS_INLINE uint64_t room_in(uint64_t tags, bool large) {
    const uint64_t free = zero_bytes(tags);
    if (!large)
        return free & -free;
    const uint64_t rest = free & (free - 1);
    return rest ? free ^ (rest & (rest - 1)) : 0;
}

/* The tags with those slots taken; the lowest is the entry's. */
static LT_ALWAYS_INLINE uint64_t with_taken(uint64_t tags, uint64_t slots, uint8_t tag, bool large) {
    if (!large)
        return tags | (slots >> 7) * tag;
    const uint64_t entry = slots & -slots;
    return tags | (entry >> 7) * tag | ((slots ^ entry) >> 7) * COMPANION;
}

/* Whether it has to have a companion. */
static LT_ALWAYS_INLINE bool is_large(const struct lt_live_block *block) {
    return block->size >= SMALL_END || block->site >> NEAR_SITE_BITS;
}

/* Claims room for an entry without one where the tags are still those seen. */
static LT_ALWAYS_INLINE bool claim_seen(struct chunk *chunk, uint64_t tags, uint64_t slots, uint8_t tag) {
    return __atomic_compare_exchange_n(&chunk->word, &tags, with_taken(tags, slots, tag, false), false,
                                       __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

/* Claims room; 0 where there is none by now. */
static LT_ALWAYS_INLINE uint64_t claim(struct chunk *chunk, uint8_t tag, bool large) {
    uint64_t tags = __atomic_load_n(&chunk->word, __ATOMIC_RELAXED), slots;
    do {
        slots = room_in(tags, large);
        if (lt_unlikely(!slots))
            return 0;
    } while (!__atomic_compare_exchange_n(&chunk->word, &tags, with_taken(tags, slots, tag, large), true,
                                          __ATOMIC_ACQUIRE, __ATOMIC_RELAXED));
    return slots;
}

static LT_ALWAYS_INLINE uint32_t code_of_birth(uint32_t birth) {
    uint32_t steps = birth >> BIRTH_UNIT_BITS, exponent = 0;
    for (; lt_unlikely(steps >= STEPS); exponent++)
        steps = (steps - STEPS) >> EXPONENT_BITS;
    return exponent << STEP_BITS | steps;
}

static LT_ALWAYS_INLINE uint32_t birth_of_code(uint32_t code) {
    uint32_t steps = code % STEPS;
    for (uint32_t exponent = code >> STEP_BITS; lt_unlikely(exponent); exponent--)
        steps = (steps << EXPONENT_BITS) + STEPS;
    return steps << BIRTH_UNIT_BITS;
}

/* The bits of the other slots may change meanwhile. They all change every 12 hours. */
static LT_ALWAYS_INLINE void set_late(struct chunk *chunk, unsigned slot, uint32_t late) {
    const uint32_t differ = __atomic_load_n(&chunk->late, __ATOMIC_RELAXED) >> LATE_BITS * slot ^ late;
    if (lt_unlikely(differ % (1 << LATE_BITS)))
        __atomic_fetch_xor(&chunk->late, differ % (1 << LATE_BITS) << LATE_BITS * slot, __ATOMIC_RELAXED);
}

/* Fills the slots that were claimed. */
static LT_ALWAYS_INLINE void fill(struct chunk *chunk, uint64_t slots, const struct lt_live_block *block, bool large) {
    const unsigned slot = lowest_slot(slots);
    const uint32_t birth = code_of_birth(block->birth);
    uint32_t size = (uint32_t)block->size + 1;
    if (large) {
        const unsigned companion = lowest_slot(slots & (slots - 1));
        const uint64_t high = block->site >> NEAR_SITE_BITS << SIZE_HIGH_BITS | block->size >> 32;
        __atomic_store_n(&chunk->entries[companion], (uint32_t)block->size, __ATOMIC_RELAXED);
        __atomic_store_n(&chunk->births[companion], (uint16_t)high, __ATOMIC_RELAXED);
        size = HAS_COMPANION + companion;
    }
    __atomic_store_n(&chunk->births[slot], (uint16_t)birth, __ATOMIC_RELAXED);
    set_late(chunk, slot, birth >> 16);
    __atomic_store_n(&chunk->entries[slot], block->site << SITE_SHIFT | size, __ATOMIC_RELEASE);
}

static LT_ALWAYS_INLINE void clear_slot(struct chunk *chunk, unsigned slot) {
    __atomic_store_n(&chunk->entries[slot], 0, __ATOMIC_RELEASE);
    __atomic_store_n(&chunk->tags[slot], 0, __ATOMIC_RELEASE);
}

/* The entry first: nobody may find it beside a companion that is another block's. */
static inline void clear(const struct place *at) {
    __atomic_store_n(&at->chunk->entries[at->slot], 0, __ATOMIC_RELEASE);
    if (has_companion(at->entry))
        clear_slot(at->chunk, companion_of(at->entry));
    clear_slot(at->chunk, at->slot);
}

/* All that is written about a block. */
struct record {
    uint32_t entry, size; /* the companion's */
    uint16_t birth, high; /* the companion's */
    uint8_t late, tag;
};

static LT_ALWAYS_INLINE struct record load_record(const struct chunk *chunk, unsigned i) {
    struct record record = {.entry = __atomic_load_n(&chunk->entries[i], __ATOMIC_ACQUIRE)};
    if (has_companion(record.entry)) {
        record.size = __atomic_load_n(&chunk->entries[companion_of(record.entry)], __ATOMIC_ACQUIRE);
        record.high = __atomic_load_n(&chunk->births[companion_of(record.entry)], __ATOMIC_ACQUIRE);
    }
    record.birth = __atomic_load_n(&chunk->births[i], __ATOMIC_ACQUIRE);
    record.late = __atomic_load_n(&chunk->late, __ATOMIC_ACQUIRE) >> LATE_BITS * i & ((1 << LATE_BITS) - 1);
    record.tag = __atomic_load_n(&chunk->tags[i], __ATOMIC_ACQUIRE);
    return record;
}

static LT_ALWAYS_INLINE void decode(const struct record *record, struct lt_live_block *block) {
    block->size = (record->entry & SIZE_MASK) - 1;
    block->site = record->entry >> SITE_SHIFT;
    block->state = (record->entry & STATE_MASK) >> STATE_SHIFT;
    block->birth = birth_of_code((uint32_t)record->late << 16 | record->birth);
    if (has_companion(record->entry)) {
        block->size = (uint64_t)(record->high % (1 << SIZE_HIGH_BITS)) << 32 | record->size;
        block->site |= (uint32_t)record->high >> SIZE_HIGH_BITS << NEAR_SITE_BITS;
    }
}

/* Whether they are the same occupant's; its state may have changed. */
static bool same(const struct record *a, const struct record *b) {
    return ((a->entry ^ b->entry) & ~(uint32_t)STATE_MASK) == 0 && a->size == b->size && a->high == b->high &&
           a->birth == b->birth && a->late == b->late && a->tag == b->tag;
}

/* The block in slot i, if it holds one and keeps it while it is looked at. */
static LT_ALWAYS_INLINE bool read_slot(const struct chunk *chunk, unsigned i, struct record *record) {
    *record = load_record(chunk, i);
    if (!(record->entry & SIZE_MASK) || !(record->tag & TAKEN))
        return false;
    const struct record again = load_record(chunk, i);
    return same(record, &again);
}

#endif
