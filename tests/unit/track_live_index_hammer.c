/* Many threads insert, remove and move entries in the same few regions while readers walk. The size of a block is a
 * function of its site and birth, so that a reader sees at once when it was shown the two words of different occupants.
 * Addresses wander between threads as an allocator's do: a lock-free pool says who owns which. */
#include "os/arena.h"
#include "track/live_index.h"

#include "unit.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

enum { WRITERS = 6, READERS = 2, ADDRESSES = 256, HOLD = 16 };

static _Atomic(uintptr_t) pool[ADDRESSES]; /* 0 = somebody holds it */
static _Atomic bool stop;
static _Atomic uint64_t mismatches, pairs_read, operations, wrong;

static uint64_t size_of(uint32_t site, uint32_t birth) {
    return ((uint64_t)site * 0x9e3779b97f4a7c15u ^ (uint64_t)birth * 0xd6e8feb86659fd93u) & 0xffffffffffff;
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

static void insert_checked(uintptr_t address, unsigned *seed) {
    struct lt_live_block old,
        block = {.address = address, .site = (uint32_t)rand_r(seed) | 1, .birth = (uint32_t)rand_r(seed)};
    block.size = size_of(block.site, block.birth);
    if (lt_live_insert(&block, &old) != 0)
        atomic_fetch_add(&wrong, 1);
}

static void remove_checked(uintptr_t address) {
    uint64_t *entry = lt_live_find(address);
    struct lt_live_block block = {.site = 1};
    if (entry)
        lt_live_read(entry, &block);
    if (!entry || block.size != size_of(block.site, block.birth))
        atomic_fetch_add(&wrong, 1);
    if (entry)
        lt_live_remove(entry);
}

/* As realloc does: the old address may be another thread's before our entry is removed. */
static void move_checked(uintptr_t *address, unsigned *seed) {
    uint64_t *entry = lt_live_find(*address);
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
    lt_live_remove(entry);
    insert_checked(*address, seed);
}

static void *write_for_a_while(void *number) {
    unsigned seed = (unsigned)(uintptr_t)number;
    uintptr_t mine[HOLD] = {0};
    uint64_t done = 0;
    for (; !atomic_load_explicit(&stop, memory_order_relaxed); done++) {
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
        while (lt_live_next_region(&cursor, region))
            for (uint32_t i = 0; i < region->count; i++) {
                const struct lt_live_block *block = &region->blocks[i];
                atomic_fetch_add_explicit(&pairs_read, 1, memory_order_relaxed);
                if (block->size != size_of(block->site, block->birth))
                    atomic_fetch_add(&mismatches, 1);
            }
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
    assert_int_equal(wrong, 0);
    assert_true(operations > 1000 && pairs_read > 1000);
    struct lt_live_region *region = malloc(sizeof *region);
    assert_false(lt_live_next_region(&(struct lt_live_cursor){0}, region));
    free(region);
}

static void shows_no_reader_two_occupants_in_one(void **state) {
    (void)state;
    for (size_t i = 0; i < ADDRESSES; i++)
        pool[i] = 0x7f0000000000 + i * 16;
    run_for_a_second(WRITERS, write_for_a_while, READERS);
}

/* One entry that changes its occupant all the time: two separate loads would pair many words wrongly. */
static void *change_one_entry(void *unused) {
    unsigned seed = 1;
    for (; !atomic_load_explicit(&stop, memory_order_relaxed); atomic_fetch_add(&operations, 1)) {
        insert_checked(0x7e0000000010, &seed);
        remove_checked(0x7e0000000010);
    }
    return unused;
}

static void reads_a_contended_entry_whole(void **state) {
    (void)state;
    run_for_a_second(1, change_one_entry, 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(shows_no_reader_two_occupants_in_one),
                                       cmocka_unit_test(reads_a_contended_entry_whole)};
    if (lt_arena_init() != 0 || lt_live_init() != 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
