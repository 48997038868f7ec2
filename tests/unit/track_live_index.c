/* The live index against a model: an array indexed by address. */
#include "os/arena.h"
#include "track/live_index.h"
#include "track/site_numbers.h"

#include "unit.h"
#include "unit_child.h"

#include <errno.h>
#include <stdlib.h>

#define MOST_SIZE ((UINT64_C(1) << 42) - 1)
#define MOST_SITE ((UINT32_C(1) << LT_SITE_BITS) - 1)

static struct lt_live_region region;

static int start(void **state) {
    (void)state;
    assert_int_equal(lt_arena_init(), 0);
    assert_int_equal(lt_live_init(), 0);
    return 0;
}

static int try_insert(const struct lt_live_block *block, struct lt_live_block *old) {
    return lt_live_insert(block, lt_live_place(block->address), old);
}

static void insert(uintptr_t address, uint64_t size, uint32_t site, uint32_t birth) {
    struct lt_live_block old;
    assert_int_equal(try_insert(&(struct lt_live_block){address, size, birth, site, 0}, &old), 0);
}

/* Whether `kept` is what the header promises of a birth: how much less it may be, in centiseconds, depends on the
 * clock. */
static bool is_kept(uint32_t kept, uint32_t birth) {
    const uint32_t hour = 360000, day = 24 * hour;
    const uint32_t unit = birth < 46 * hour ? 64 : birth < 17 * day ? 512 : birth < 141 * day ? 4096 : 32768;
    return kept <= birth && birth - kept < unit;
}

static bool holds(uintptr_t address, uint64_t size, uint32_t site, uint32_t birth) {
    uint32_t *entry = lt_live_find(address);
    struct lt_live_block block = {0};
    if (entry)
        lt_live_read(entry, &block);
    return entry && block.size == size && block.site == site && is_kept(block.birth, birth);
}

static void remove_block(uintptr_t address) {
    uint32_t *entry = lt_live_find(address);
    assert_non_null(entry);
    lt_live_remove(entry);
    assert_null(lt_live_find(address));
}

static uint64_t walk(void (*see)(const struct lt_live_block *)) {
    struct lt_live_cursor cursor = {0};
    uint64_t count = 0;
    uintptr_t last = 0;
    while (lt_live_next_region(&cursor, &region))
        for (uint32_t i = 0; i < region.count; i++, count++) {
            assert_true(count == 0 || region.blocks[i].address > last); /* in address order, none twice */
            last = region.blocks[i].address;
            if (see)
                see(&region.blocks[i]);
        }
    return count;
}

static void keeps_extreme_values(void **state) {
    (void)state;
    const uintptr_t highest = ((uintptr_t)1 << 47) - 8;
    insert(highest, MOST_SIZE, MOST_SITE, UINT32_MAX);
    insert(8, 0, 1, 0);
    insert((uintptr_t)1 << 30, (uint64_t)1 << 32, 2, 3);
    assert_true(holds(highest, MOST_SIZE, MOST_SITE, UINT32_MAX));
    assert_true(holds(8, 0, 1, 0));
    assert_true(holds((uintptr_t)1 << 30, (uint64_t)1 << 32, 2, 3));
    assert_int_equal(walk(NULL), 3);
    remove_block(highest);
    remove_block(8);
    remove_block((uintptr_t)1 << 30);
    assert_int_equal(walk(NULL), 0);
}

static void knows_which_addresses_fit(void **state) {
    (void)state;
    const uintptr_t odd[] = {1, 7, 12, (uintptr_t)1 << 47, ((uintptr_t)1 << 47) + 8, UINTPTR_MAX, UINTPTR_MAX - 7};
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        assert_false(lt_live_address_fits(odd[i]));
        assert_null(lt_live_find(odd[i]));
    }
    assert_true(lt_live_address_fits(0) && lt_live_address_fits(((uintptr_t)1 << 47) - 8));
    assert_true(lt_live_size_fits(0) && lt_live_size_fits(MOST_SIZE));
    assert_false(lt_live_size_fits(MOST_SIZE + 1));
}

static void replaces_an_address_still_held(void **state) {
    (void)state;
    struct lt_live_block old;
    insert(0x7000, 10, 1, 100);
    assert_int_equal(try_insert(&(struct lt_live_block){0x7000, 20, 200, 2, 0}, &old), 1);
    assert_true(old.address == 0x7000 && old.size == 10 && old.site == 1 && is_kept(old.birth, 100));
    assert_true(holds(0x7000, 20, 2, 200));
    assert_int_equal(walk(NULL), 1);
    remove_block(0x7000);
}

/* While one thread is inside realloc(p), another may be given p's address: both records live side by side. */
static void moving_entry_and_its_successor_are_kept_apart(void **state) {
    (void)state;
    insert(0x9008, 10, 1, 100);
    uint32_t *moving = lt_live_find(0x9008);
    lt_live_set_state(moving, LT_LIVE_MOVING, 0);
    assert_null(lt_live_find(0x9008));
    assert_int_equal(walk(NULL), 1); /* still counted live */
    insert(0x9008, 20, 2, 200);
    assert_true(holds(0x9008, 20, 2, 200));
    assert_int_equal(walk(NULL), 1); /* never twice at one address, and it is the present owner's */
    assert_int_equal(region.blocks[0].site, 2);
    lt_live_remove(moving);
    assert_true(holds(0x9008, 20, 2, 200));
    remove_block(0x9008);
    assert_int_equal(walk(NULL), 0);
}

/* A block whose size does not fit an entry has a companion; both must come and go together. */
static const uint64_t sizes[] = {0, 1, 1013, 1014, 1015, 1016, 1023, 1024, 65536, UINT64_C(1) << 32, MOST_SIZE};
enum { SIZES = sizeof sizes / sizeof *sizes };

static void any_size_replaces_any_other(void **state) {
    (void)state;
    for (size_t i = 0; i < SIZES * SIZES; i++) {
        const uint64_t first = sizes[i % SIZES], second = sizes[i / SIZES];
        struct lt_live_block old;
        insert(0xa3f8, first, 1, 100);
        assert_true(holds(0xa3f8, first, 1, 100));
        assert_int_equal(try_insert(&(struct lt_live_block){0xa3f8, second, 200, 2, 0}, &old), 1);
        assert_true(old.size == first && old.site == 1);
        assert_int_equal(walk(NULL), 1);
        assert_true(region.blocks[0].address == 0xa3f8 && region.blocks[0].size == second);
        assert_true(holds(0xa3f8, second, 2, 200));
        remove_block(0xa3f8);
    }
}

static void any_size_moves_beside_any_other(void **state) {
    (void)state;
    for (size_t i = 0; i < SIZES * SIZES; i++) {
        const uint64_t first = sizes[i % SIZES], second = sizes[i / SIZES];
        struct lt_live_block block;
        insert(0xa008, first, 1, 100);
        uint32_t *moving = lt_live_find(0xa008);
        lt_live_set_state(moving, LT_LIVE_MOVING, 0);
        assert_int_equal(walk(NULL), 1);
        assert_int_equal(region.blocks[0].size, first);
        insert(0xa008, second, 2, 200);
        assert_true(holds(0xa008, second, 2, 200));
        lt_live_read(moving, &block);
        assert_true(block.size == first && block.site == 1 && block.state == LT_LIVE_MOVING);
        lt_live_remove(moving);
        assert_true(lt_live_take(0xa008, &block) && block.size == second);
        assert_false(lt_live_take(0xa008, &block));
        assert_int_equal(walk(NULL), 0);
    }
}

static void slots_are_used_again_whatever_their_size_was(void **state) {
    (void)state;
    const uint64_t before = lt_live_bytes();
    insert(0xa000, 1015, 1, 1);
    insert(0xa010, 1016, 1, 1);
    insert(0xa018, 10, MOST_SITE, 1);
    insert(0xa020, 1, 1, 1);
    const uint64_t filled =
        lt_live_bytes(); /* seven slots of the region's first chunk: it is there from the tests above */
    assert_int_equal(filled, before);
    for (size_t i = 0; i < 1000; i++) {
        remove_block(0xa010);
        insert(0xa010, sizes[i % SIZES], 1, 1);
    }
    assert_int_equal(lt_live_bytes(), filled);
    insert(0xa030, 5000, 1, 1); /* one slot is not enough for two */
    assert_int_equal(lt_live_bytes(), filled + 64);
    for (uintptr_t address = 0xa000; address <= 0xa030; address += 0x10)
        remove_block(address);
    remove_block(0xa018);
}

/* Births pass every place where their bits change their meaning, up to the clock's own end. */
static void births_are_kept_to_the_end_of_the_clock(void **state) {
    (void)state;
    for (uint64_t birth = 1; birth <= UINT32_MAX; birth += birth / 16 + 1) {
        insert(0xa100, 24, 1, (uint32_t)birth);
        assert_true(holds(0xa100, 24, 1, (uint32_t)birth));
        assert_int_equal(walk(NULL), 1);
        assert_true(is_kept(region.blocks[0].birth, (uint32_t)birth));
        remove_block(0xa100);
    }
}

static void failed_move_leaves_the_entry_as_it_was(void **state) {
    (void)state;
    insert(0x9010, 33, 7, 9);
    uint32_t *entry = lt_live_find(0x9010);
    lt_live_set_state(entry, LT_LIVE_MOVING, 0);
    lt_live_set_state(entry, 0, LT_LIVE_MOVING);
    assert_true(holds(0x9010, 33, 7, 9));
    lt_live_set_state(entry, LT_LIVE_IGNORED, 0);
    assert_true(holds(0x9010, 33, 7, 9));
    assert_int_equal(walk(NULL), 1);
    assert_int_equal(region.blocks[0].state, LT_LIVE_IGNORED);
    remove_block(0x9010);
}

/* Random operations in three places far apart, dense enough that regions hold up to 128 blocks. */
enum { PLACES = 3, PER_PLACE = 4096, SLOTS = PLACES * PER_PLACE };
static struct lt_live_block model[SLOTS];
static uint64_t seen, model_count;

static uintptr_t address_of(size_t slot) {
    const uintptr_t places[PLACES] = {0x10000, 0x5555deadb000, ((uintptr_t)1 << 46) - 8 * 2048};
    return places[slot / PER_PLACE] + slot % PER_PLACE * 8;
}

static void compare_with_model(const struct lt_live_block *block) {
    for (size_t slot = 0; slot < SLOTS; slot += PER_PLACE) {
        size_t at = slot + (block->address - address_of(slot)) / 8;
        if (block->address < address_of(slot) || at >= slot + PER_PLACE)
            continue;
        assert_true(model[at].address == block->address && model[at].size == block->size &&
                    model[at].site == block->site && is_kept(block->birth, model[at].birth));
        seen++;
    }
}

static void one_random_operation(void) {
    size_t slot = (size_t)random() % SLOTS;
    struct lt_live_block *expected = &model[slot], old,
                         block = {.address = address_of(slot),
                                  .size =
                                      random() % 2 ? (uint64_t)random() % 1100 : (uint64_t)random() << (random() % 11),
                                  .site = ((uint32_t)random() & (random() % 2 ? 0xfffff : MOST_SITE)) | 1,
                                  .birth = (uint32_t)random()};
    if (expected->address && random() % 8) {
        assert_true(holds(expected->address, expected->size, expected->site, expected->birth));
        remove_block(expected->address);
        expected->address = 0;
        model_count--;
        return;
    }
    assert_int_equal(try_insert(&block, &old), expected->address ? 1 : 0);
    if (expected->address)
        assert_true(old.size == expected->size && old.site == expected->site && is_kept(old.birth, expected->birth));
    else
        model_count++;
    *expected = block;
}

static void agrees_with_a_model(void **state) {
    (void)state;
    srandom(1);
    for (int round = 0; round < 20; round++) {
        for (int i = 0; i < 20000; i++)
            one_random_operation();
        seen = 0;
        assert_int_equal(walk(compare_with_model), model_count);
        assert_int_equal(seen, model_count);
    }
    for (size_t slot = 0; slot < SLOTS; slot++)
        if (model[slot].address)
            remove_block(model[slot].address);
        else
            assert_null(lt_live_find(address_of(slot)));
}

static void says_how_much_memory_it_uses(void **state) {
    (void)state;
    const uintptr_t region_start = (uintptr_t)77 << 30;
    const uint64_t before = lt_live_bytes();
    insert(region_start, 1, 1, 1);
    assert_int_equal(lt_live_bytes() - before, 2 * 4096 + 64); /* a leaf of which one page is used, a chunk */
    for (uintptr_t i = 1; i < 9; i++)
        insert(region_start + 8 * i, 1, 1, 1);
    assert_int_equal(lt_live_bytes() - before, 2 * 4096 + 2 * 64);
    for (uintptr_t i = 0; i < 9; i++)
        remove_block(region_start + 8 * i);
    insert(region_start + 512, 1, 1, 1);
    remove_block(region_start + 512);
    assert_int_equal(lt_live_bytes() - before, 2 * 4096 + 2 * 64);
}

static void run_out_of_memory(void) {
    struct lt_live_block old, block = {.size = 1, .site = 1};
    for (uint64_t n = 1; n < 40; n++) {
        uint64_t failed = 0, held = 0;
        lt_arena_fail_after(n);
        for (block.address = n << 32; block.address < (n << 32) + 64 * 1024; block.address += 256) {
            int status = try_insert(&block, &old);
            CHILD_CHECK(status == 0 || status == -ENOMEM);
            CHILD_CHECK((status == 0) == (lt_live_find(block.address) != NULL));
            failed += status != 0;
            held += status == 0;
        }
        lt_arena_fail_after(0);
        CHILD_CHECK(failed > 0 && failed + held == 256);
        CHILD_CHECK(n < 3 || held >= 4 * (n - 2)); /* one allocation for the leaf, one per region of four */
    }
}

static void says_when_memory_is_used_up(void **state) {
    (void)state;
    assert_child_passes(run_out_of_memory);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_extreme_values),
        cmocka_unit_test(knows_which_addresses_fit),
        cmocka_unit_test(replaces_an_address_still_held),
        cmocka_unit_test(moving_entry_and_its_successor_are_kept_apart),
        cmocka_unit_test(any_size_replaces_any_other),
        cmocka_unit_test(any_size_moves_beside_any_other),
        cmocka_unit_test(slots_are_used_again_whatever_their_size_was),
        cmocka_unit_test(births_are_kept_to_the_end_of_the_clock),
        cmocka_unit_test(failed_move_leaves_the_entry_as_it_was),
        cmocka_unit_test(agrees_with_a_model),
        cmocka_unit_test(says_how_much_memory_it_uses),
        cmocka_unit_test(says_when_memory_is_used_up),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
