/* The descriptor table against a plain array, at its edges, and with readers in the midst of changes. */
#include "track/descriptors.h"

#include "os/arena.h"
#include "track/counters.h"

#include "unit.h"
#include "unit_child.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

static void start(void) {
    CHILD_CHECK(lt_arena_init() == 0);
    CHILD_CHECK(lt_descriptors_init() == 0);
}

static struct lt_descriptor some(uint32_t n) {
    return (struct lt_descriptor){.holding = {.site = n, .birth = ~n},
                                  .kind = (uint8_t)(LT_KIND_FILE + n % 5),
                                  .origin = (uint8_t)(n % 5),
                                  .via = (uint8_t)(n % 3)};
}

static bool equal(const struct lt_descriptor *a, const struct lt_descriptor *b) {
    return a->holding.site == b->holding.site && a->holding.birth == b->holding.birth && a->kind == b->kind &&
           a->origin == b->origin && a->via == b->via;
}

/* The numbers of the model: small ones, some on both sides of every boundary of the tree, and the last of all. */
enum { NUMBERS = 64 };
static int numbers[NUMBERS];
static struct lt_descriptor model[NUMBERS];
static bool held[NUMBERS], known[NUMBERS];

static void choose_numbers(void) {
    static const int edges[] = {511, 512, 1023, 1 << 20, (1 << 20) - 1, (1 << 20) + 512, 1 << 30, INT_MAX - 1, INT_MAX};
    for (int i = 0; i < NUMBERS; i++)
        numbers[i] = i < NUMBERS - 9 ? i : edges[i - (NUMBERS - 9)];
    for (int i = 1; i < NUMBERS; i++) /* ascending, for the walk */
        for (int j = i; j > 0 && numbers[j] < numbers[j - 1]; j--) {
            const int number = numbers[j];
            numbers[j] = numbers[j - 1];
            numbers[j - 1] = number;
        }
}

static void compare(void) {
    struct lt_descriptor found;
    int fd = -1;
    for (int i = 0; i < NUMBERS; i++) {
        CHILD_CHECK(lt_descriptor_get(numbers[i], &found) == held[i]);
        CHILD_CHECK(lt_descriptor_last(numbers[i], &found) == (known[i] && !held[i]));
        CHILD_CHECK(!known[i] || held[i] || equal(&found, &model[i]));
        if (!held[i])
            continue;
        fd = lt_descriptor_next(fd + 1, &found);
        CHILD_CHECK(fd == numbers[i] && equal(&found, &model[i]));
    }
    CHILD_CHECK(fd == INT_MAX || lt_descriptor_next(fd + 1, &found) == -1);
}

static void put(int i, uint32_t n) {
    struct lt_descriptor old, new = some(n);
    CHILD_CHECK(lt_descriptor_put(numbers[i], &new, &old) == held[i]);
    CHILD_CHECK(!held[i] || equal(&old, &model[i]));
    model[i] = new;
    held[i] = known[i] = true;
}

/* What nothing stands on can be taken in a shorter way. */
static bool take_either_way(int fd, struct lt_descriptor *taken) {
    enum lt_kind kind;
    const bool is_held = lt_descriptor_get(fd, taken), is_bare = is_held && taken->via == LT_VIA_NOTHING;
    CHILD_CHECK(lt_descriptor_take_bare(fd, &kind) == is_bare);
    CHILD_CHECK(!is_bare || kind == (taken->holding.site ? taken->kind : 0));
    return is_bare || lt_descriptor_take(fd, taken);
}

/* Some of the releases fail; now and then another record has come meanwhile, and then nothing is put back. */
static void take(int i, uint32_t n) {
    struct lt_descriptor taken;
    CHILD_CHECK((n % 3 ? take_either_way : lt_descriptor_take)(numbers[i], &taken) == held[i]);
    if (!held[i])
        return;
    CHILD_CHECK(equal(&taken, &model[i]));
    held[i] = false;
    if (n % 4 == 0)
        put(i, n);
    if (n % 2 == 0)
        CHILD_CHECK(lt_descriptor_put_back(numbers[i], &taken) == (n % 4 != 0));
    held[i] = n % 2 == 0;
}

static void vanish(int i, uint32_t n) {
    struct lt_descriptor seen;
    if (!lt_descriptor_get(numbers[i], &seen))
        return;
    if (n % 2)
        put(i, n);
    CHILD_CHECK(lt_descriptor_vanished(numbers[i], &seen) == !(n % 2));
    held[i] = n % 2;
}

static void change_at_random(void) {
    unsigned seed = 11;
    start();
    choose_numbers();
    for (uint32_t n = 1; n < 20000; n++) {
        const int i = rand_r(&seed) % NUMBERS, dice = rand_r(&seed) % 10;
        if (dice < 4) {
            put(i, n);
        } else if (dice < 8) {
            take(i, n);
        } else if (dice < 9) {
            vanish(i, n);
        } else if (held[i]) {
            model[i].via = (uint8_t)(n % 3);
            lt_descriptor_set_via(numbers[i], n % 3);
        } else {
            lt_descriptor_set_via(numbers[i], LT_VIA_STREAM);
        }
        if (n % 100 == 0)
            compare();
    }
    compare();
}

static void equals_an_array(void **state) {
    (void)state;
    assert_child_passes(change_at_random);
}

static void ask_for_nothing(void) {
    struct lt_descriptor any = some(1), old;
    errno = 77;
    CHILD_CHECK(!lt_descriptor_take(3, &old) && lt_descriptor_next(0, &old) == -1); /* before there is a table */
    start();
    CHILD_CHECK(!lt_descriptor_take(-1, &old) && !lt_descriptor_get(INT_MIN, &old) && !lt_descriptor_last(5, &old));
    CHILD_CHECK(!lt_descriptor_put_back(5, &any) && !lt_descriptor_vanished(5, &any));
    lt_descriptor_set_via(-1, LT_VIA_STREAM);
    CHILD_CHECK(lt_descriptor_next(INT_MIN, &old) == -1 && lt_descriptor_next(INT_MAX, &old) == -1);
    lt_descriptors_forked();
    CHILD_CHECK(lt_untracked_count(LT_UNTRACKED_ARENA_FULL) == 0);
    for (uint64_t n = 1; n <= 2; n++) { /* two pieces of memory make the first record */
        lt_arena_fail_after(n);
        CHILD_CHECK(lt_descriptor_put(1 << 20, &any, &old) == -ENOMEM && !lt_descriptor_get(1 << 20, &old));
        CHILD_CHECK(lt_untracked_count(LT_UNTRACKED_ARENA_FULL) == n);
    }
    lt_arena_fail_after(0);
    CHILD_CHECK(lt_descriptor_put(1 << 20, &any, &old) == 0 && lt_descriptor_get(1 << 20, &old));
    CHILD_CHECK(errno == 77);
}

static void what_is_not_there_is_answered(void **state) {
    (void)state;
    assert_child_passes(ask_for_nothing);
}

static void fork_with_records(void) {
    struct lt_descriptor any = some(8), found;
    start();
    (void)!lt_descriptor_put(3, &any, &found);
    (void)!lt_descriptor_put(4, &any, &found);
    (void)!lt_descriptor_put(1 << 21, &any, &found);
    lt_descriptor_take(4, &found);
    lt_descriptors_forked();
    CHILD_CHECK(lt_descriptor_get(3, &found) && found.origin == LT_ORIGIN_INHERITED && found.holding.site == 0);
    CHILD_CHECK(found.kind == any.kind && found.via == any.via && found.holding.birth == any.holding.birth);
    CHILD_CHECK(lt_descriptor_get(1 << 21, &found) && found.origin == LT_ORIGIN_INHERITED);
    CHILD_CHECK(!lt_descriptor_get(4, &found) && !lt_descriptor_last(4, &found));
    enum lt_kind kind = LT_KIND_FILE;
    CHILD_CHECK(lt_descriptor_take(3, &found) && lt_descriptor_last(3, &found)); /* closed by the child itself */
    lt_descriptor_set_via(1 << 21, LT_VIA_NOTHING);
    CHILD_CHECK(lt_descriptor_take_bare(1 << 21, &kind) && kind == 0);
}

static void a_child_inherits(void **state) {
    (void)state;
    assert_child_passes(fork_with_records);
}

/* Each thread changes numbers of its own, and every record's birth tells its site: a reader must never see a pair that
 * was not. The records that the reader makes vanish are those that it saw. */
enum { THREADS = 2, ROUNDS = 100000 };
static atomic_int running;
static atomic_ulong put_count, taken_count, vanished_count;

static void *change(void *first) {
    struct lt_descriptor found;
    for (uint32_t n = 1; n <= ROUNDS; n++) {
        const int fd = (int)(uintptr_t)first + (int)(n % 8) * THREADS;
        const struct lt_descriptor new = some(n);
        bool told = lt_descriptor_put(fd, &new, &found) > 0;
        atomic_fetch_add(&put_count, 1);
        atomic_fetch_add(&taken_count, told);
        CHILD_CHECK(!told || found.holding.birth == ~found.holding.site);
        told = n % 3 && lt_descriptor_take(fd, &found);
        atomic_fetch_add(&taken_count, told);
        CHILD_CHECK(!told || found.holding.birth == ~found.holding.site);
    }
    atomic_fetch_sub(&running, 1);
    return NULL;
}

static void read_meanwhile(void) {
    pthread_t threads[THREADS];
    struct lt_descriptor found;
    unsigned long left = 0;
    start();
    atomic_store(&running, THREADS);
    for (uintptr_t i = 0; i < THREADS; i++)
        CHILD_CHECK(pthread_create(&threads[i], NULL, change, (void *)i) == 0);
    while (atomic_load(&running))
        for (int fd = -1; (fd = lt_descriptor_next(fd + 1, &found)) >= 0;) {
            CHILD_CHECK(found.holding.site && found.holding.birth == ~found.holding.site);
            if (found.holding.site % 7 == 0 && lt_descriptor_vanished(fd, &found))
                atomic_fetch_add(&vanished_count, 1);
        }
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    for (int fd = -1; (fd = lt_descriptor_next(fd + 1, &found)) >= 0;)
        left++;
    CHILD_CHECK(put_count == (unsigned long)THREADS * ROUNDS && put_count == taken_count + vanished_count + left);
}

static void readers_see_whole_records(void **state) {
    (void)state;
    assert_child_passes(read_meanwhile);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(equals_an_array),
    cmocka_unit_test(what_is_not_there_is_answered),
    cmocka_unit_test(a_child_inherits),
    cmocka_unit_test(readers_see_whole_records),
};

LT_UNIT_MAIN(tests)
