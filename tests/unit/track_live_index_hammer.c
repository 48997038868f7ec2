/* Many threads insert, remove and move entries in the same few regions while readers walk. The size of a block is a
 * function of its address, site and birth, and its site one of the address, so that a reader sees at once when it was
 * shown parts of different occupants. Sizes are of all kinds: within an entry, around its limit, far above it.
 * Addresses wander between threads as an allocator's do: a lock-free pool says who owns which. A few blocks among them
 * stay, though their state changes all the time: every walk must see each of them.
 *
 * Each test runs with sites and births at random, when hardly two occupants of an entry are alike, and with as few as a
 * program has, when an entry often gets the same content again. */
#include "os/arena.h"
#include "track/live_index.h"
#include "track/site_numbers.h"

#include "unit.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

enum { WRITERS = 6, READERS = 2, ADDRESSES = 256, HOLD = 16, KEPT = 8 };

#define POOL_START ((uintptr_t)0x7f0000000000)
static _Atomic(uintptr_t) pool[ADDRESSES]; /* 0 = somebody holds it */
static _Atomic bool stop;
static _Atomic uint64_t mismatches, pairs_read, operations, wrong, missed;
static uint32_t *kept[KEPT]; /* at addresses that the pool does not have */

static bool few; /* different sites and births */

/* A third each: small, around the limit, large. */
static uint64_t size_of(const struct lt_live_block *block) {
    uint64_t hash = ((few ? 0 : block->address) ^ block->site * 0x9e3779b97f4a7c15u) + block->birth;
    hash *= 0xd6e8feb86659fd93u;
    hash ^= hash >> 32;
    switch (hash % 3) {
    case 0:
        return hash >> 16 & 0x3ff;
    case 1:
        return 1008 + (hash >> 16 & 15);
    default:
        return hash >> 22;
    }
}

/* Every other one in 20 bits, which an entry has room for; the lowest four are the address's. */
static uint32_t site_of(uintptr_t address, unsigned *seed) {
    const uint32_t random = (uint32_t)rand_r(seed), bits = random & 1 ? LT_SITE_BITS : 20;
    return (few ? 16 : random & ((1u << bits) - 16)) | (uint32_t)(address >> 4 & 7) | 8;
}

static bool fits_together(const struct lt_live_block *block) {
    return (block->site & 7) == (block->address >> 4 & 7) && block->size == size_of(block);
}

static uintptr_t take(unsigned *seed) {
    for (;;) {
        uintptr_t address = atomic_exchange(&pool[(unsigned)rand_r(seed) % ADDRESSES], 0);
        if (address)
            return address;
    }
}

static void give_back(uintptr_t address, unsigned *seed) {
    for (;;) {
        uintptr_t none = 0;
        if (atomic_compare_exchange_strong(&pool[(unsigned)rand_r(seed) % ADDRESSES], &none, address))
            return;
    }
}

/* One that is kept as it is: whole units of the first 46 hours, or of the weeks after. */
static uint32_t birth_at_random(unsigned *seed) {
    const uint32_t random = (uint32_t)rand_r(seed);
    return random & 1 ? (random & 0xffffff) / 64 * 64 : (1 << 24) + (random & 0xffffff) / 512 * 512;
}

static void insert_checked(uintptr_t address, unsigned *seed) {
    struct lt_live_block old, block = {.address = address, .site = site_of(address, seed)};
    block.birth = few ? 0 : birth_at_random(seed);
    block.size = size_of(&block);
    if (lt_live_insert(&block, lt_live_place(block.address), &old) != 0)
        atomic_fetch_add(&wrong, 1);
}

static void remove_checked(uintptr_t address) {
    struct lt_live_block block = {.site = 0}, taken = {.site = 0};
    const uint32_t *entry = lt_live_find(address);
    if (entry)
        lt_live_read(entry, &block);
    block.address = address;
    bool found = lt_live_take(address, &taken);
    if (!found || !fits_together(&block) || taken.site != block.site || taken.size != block.size)
        atomic_fetch_add(&wrong, 1);
}

/* As realloc does: the old address may be another thread's before our entry is removed. */
static void move_checked(uintptr_t *address, unsigned *seed) {
    uint32_t *entry = lt_live_find(*address);
    if (!entry) {
        atomic_fetch_add(&wrong, 1);
        return;
    }
    lt_live_set_state(entry, LT_LIVE_MOVING, 0);
    if (rand_r(seed) % 2) {
        lt_live_set_state(entry, 0, LT_LIVE_MOVING);
        return;
    }
    uintptr_t old = *address;
    *address = take(seed);
    give_back(old, seed);
    struct lt_live_block block;
    lt_live_read(entry, &block);
    block.address = old;
    if (!fits_together(&block))
        atomic_fetch_add(&wrong, 1);
    lt_live_remove(entry);
    insert_checked(*address, seed);
}

static void change_state(unsigned *seed) {
    uint32_t states = (uint32_t)rand_r(seed) & (LT_LIVE_MOVING | LT_LIVE_IGNORED);
    lt_live_set_state(kept[(unsigned)rand_r(seed) % KEPT], states, ~states & (LT_LIVE_MOVING | LT_LIVE_IGNORED));
}

static void *write_for_a_while(void *number) {
    unsigned seed = (unsigned)(uintptr_t)number;
    uintptr_t mine[HOLD] = {0};
    uint64_t done = 0;
    for (; !atomic_load_explicit(&stop, memory_order_relaxed); done++) {
        if (number == 0)
            change_state(&seed);
        uintptr_t *slot = &mine[(unsigned)rand_r(&seed) % HOLD];
        if (!*slot) {
            *slot = take(&seed);
            insert_checked(*slot, &seed);
        } else if (rand_r(&seed) % 4 == 0) {
            move_checked(slot, &seed);
        } else {
            remove_checked(*slot);
            give_back(*slot, &seed);
            *slot = 0;
        }
    }
    for (int i = 0; i < HOLD; i++)
        if (mine[i])
            remove_checked(mine[i]);
    atomic_fetch_add(&operations, done);
    return NULL;
}

static void *read_for_a_while(void *unused) {
    (void)unused;
    struct lt_live_region *region = malloc(sizeof *region);
    while (!atomic_load_explicit(&stop, memory_order_relaxed)) {
        struct lt_live_cursor cursor = {.region = 0x7e0000000000 / 1024};
        unsigned seen = 0;
        while (lt_live_next_region(&cursor, region))
            for (uint32_t i = 0; i < region->count; i++) {
                const struct lt_live_block *block = &region->blocks[i];
                atomic_fetch_add_explicit(&pairs_read, 1, memory_order_relaxed);
                if (!fits_together(block))
                    atomic_fetch_add(&mismatches, 1);
                seen += block->address % 16 == 8;
            }
        if (seen != (kept[0] ? KEPT : 0))
            atomic_fetch_add(&missed, 1);
    }
    free(region);
    return NULL;
}

static void run_for_a_second(uintptr_t writers, void *(*write)(void *), uintptr_t readers) {
    pthread_t threads[WRITERS + READERS];
    atomic_store(&stop, false);
    operations = pairs_read = 0;
    for (uintptr_t i = 0; i < writers + readers; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, i < writers ? write : read_for_a_while, (void *)i), 0);
    nanosleep(&(struct timespec){.tv_sec = 1}, NULL);
    atomic_store(&stop, true);
    for (uintptr_t i = 0; i < writers + readers; i++)
        pthread_join(threads[i], NULL);
    print_message("%lu operations, %lu pairs read\n", (unsigned long)operations, (unsigned long)pairs_read);
    assert_int_equal(mismatches, 0);
    assert_int_equal(missed, 0);
    assert_int_equal(wrong, 0);
    assert_true(operations > 1000 && pairs_read > 1000);
}

static void assert_empty(void) {
    struct lt_live_region *region = malloc(sizeof *region);
    assert_false(lt_live_next_region(&(struct lt_live_cursor){0}, region));
    free(region);
}

static void keep_blocks(void) {
    unsigned seed = 1;
    for (size_t i = 0; i < KEPT; i++) {
        uintptr_t address = POOL_START + i * (ADDRESSES / KEPT) * 16 + 8;
        insert_checked(address, &seed);
        kept[i] = lt_live_find(address);
    }
}

static void shows_no_reader_two_occupants_in_one(void **state) {
    few = *state;
    for (size_t i = 0; i < ADDRESSES; i++)
        pool[i] = POOL_START + i * 16;
    keep_blocks();
    run_for_a_second(WRITERS, write_for_a_while, READERS);
    for (size_t i = 0; i < KEPT; i++)
        lt_live_remove(kept[i]);
    kept[0] = NULL;
    assert_empty();
}

/* A few addresses that move from thread to thread all the time: an entry with the right tag is often another's. */
static void *move_for_a_while(void *number) {
    unsigned seed = (unsigned)(uintptr_t)number;
    uintptr_t mine = take(&seed);
    uint64_t done = 0;
    insert_checked(mine, &seed);
    for (; !atomic_load_explicit(&stop, memory_order_relaxed); done++)
        move_checked(&mine, &seed);
    remove_checked(mine);
    give_back(mine, &seed);
    atomic_fetch_add(&operations, done);
    return NULL;
}

static void finds_its_own_among_what_others_move(void **state) {
    few = *state;
    for (size_t i = 0; i < ADDRESSES; i++)
        pool[i] = i < WRITERS + 2 ? POOL_START + i * 16 : 0;
    run_for_a_second(WRITERS, move_for_a_while, READERS);
    assert_empty();
}

/* One slot that changes its occupant all the time: separate loads would pair many of its parts wrongly. */
static void *change_one_entry(void *unused) {
    unsigned seed = 1;
    for (; !atomic_load_explicit(&stop, memory_order_relaxed); atomic_fetch_add(&operations, 1)) {
        uintptr_t address = 0x7e0000000010 + (uintptr_t)(rand_r(&seed) & 0x30);
        insert_checked(address, &seed);
        remove_checked(address);
    }
    return unused;
}

static void reads_a_contended_entry_whole(void **state) {
    few = *state;
    run_for_a_second(1, change_one_entry, 1);
    assert_empty();
}

int main(void) {
    bool yes = true;
    const struct CMUnitTest tests[] = {cmocka_unit_test(shows_no_reader_two_occupants_in_one),
                                       cmocka_unit_test_prestate(shows_no_reader_two_occupants_in_one, &yes),
                                       cmocka_unit_test(finds_its_own_among_what_others_move),
                                       cmocka_unit_test(reads_a_contended_entry_whole),
                                       cmocka_unit_test_prestate(reads_a_contended_entry_whole, &yes)};
    if (lt_arena_init() != 0 || lt_live_init() != 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
