#include "plain_index.h"

#include "base/attrs.h"
#include "os/arena.h"

enum { ENTRIES = 7, HELD = 1, BUSY = 2 };

struct chunk {
    uint32_t next, reserved[3];
    uint64_t entries[ENTRIES][2];
};

static uint32_t *leaves; /* by address >> 30: arena refs of arrays of 2^20 chunk refs */

bool plain_init(void) {
    leaves = lt_arena_alloc((1 << 17) * sizeof *leaves, 4096);
    return leaves != NULL;
}

static uint32_t *region_of(uintptr_t address) {
    uint32_t *leaf = lt_arena_at(__atomic_load_n(&leaves[address >> 30], __ATOMIC_ACQUIRE));
    return lt_likely(leaf) ? &leaf[address >> 10 & 0xfffff] : NULL;
}

static LT_COLD uint32_t *make_leaf(uintptr_t address) {
    uint32_t none = 0, leaf = lt_arena_ref(lt_arena_alloc(sizeof(uint32_t) << 20, 4096));
    if (leaf)
        __atomic_compare_exchange_n(&leaves[address >> 30], &none, leaf, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
    return leaf ? region_of(address) : NULL;
}

static uint64_t granule_of(uintptr_t address) {
    return (address >> 3 & 0x7f) << 8;
}

static LT_COLD bool insert_in_new_chunk(uint32_t *region, uint64_t word0, uint64_t word1) {
    struct chunk *chunk = lt_arena_alloc(sizeof *chunk, sizeof *chunk);
    if (!chunk)
        return false;
    chunk->entries[0][0] = word0;
    chunk->entries[0][1] = word1;
    chunk->next = __atomic_load_n(region, __ATOMIC_RELAXED);
    while (!__atomic_compare_exchange_n(region, &chunk->next, lt_arena_ref(chunk), true, __ATOMIC_RELEASE,
                                        __ATOMIC_RELAXED))
        ;
    return true;
}

bool plain_insert(uintptr_t address, uint64_t size, uint32_t site, uint32_t birth) {
    const uint64_t word0 = (uint64_t)site << 32 | (size >> 32) << 16 | granule_of(address) | HELD;
    const uint64_t word1 = (uint64_t)birth << 32 | (uint32_t)size;
    uint32_t *region = region_of(address);
    if (!region && !(region = make_leaf(address)))
        return false;
    for (;;) {
        uint64_t *room = NULL, none = 0;
        struct chunk *chunk = lt_arena_at(__atomic_load_n(region, __ATOMIC_ACQUIRE));
        for (; chunk; chunk = lt_arena_at(chunk->next))
            for (int i = 0; i < ENTRIES; i++) {
                const uint64_t word = __atomic_load_n(chunk->entries[i], __ATOMIC_RELAXED);
                if (lt_unlikely((word & 0x7f01) == (word0 & 0x7f01)))
                    return false; /* a missed release: not measured */
                if (!room && word == 0)
                    room = chunk->entries[i];
            }
        if (!room)
            return insert_in_new_chunk(region, word0, word1);
        if (__atomic_compare_exchange_n(room, &none, BUSY, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)) {
            __atomic_store_n(&room[1], word1, __ATOMIC_RELAXED);
            __atomic_store_n(&room[0], word0, __ATOMIC_RELEASE);
            return true;
        }
    }
}

bool plain_remove(uintptr_t address) {
    const uint64_t wanted = granule_of(address) | HELD;
    uint32_t *region = region_of(address);
    struct chunk *chunk = region ? lt_arena_at(__atomic_load_n(region, __ATOMIC_ACQUIRE)) : NULL;
    for (; chunk; chunk = lt_arena_at(chunk->next))
        for (int i = 0; i < ENTRIES; i++)
            if ((__atomic_load_n(chunk->entries[i], __ATOMIC_RELAXED) & 0x7f01) == wanted) {
                __atomic_store_n(chunk->entries[i], 0, __ATOMIC_RELEASE);
                return true;
            }
    return false;
}
