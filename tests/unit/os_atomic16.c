/* The 16-byte load under fire: a writer replaces {x, f(x)} as one, a reader must never see a mixture. */
#include "os/atomic16.h"

#include "os/clock.h"

#include "unit.h"

#include <pthread.h>
#include <stdatomic.h>

#define MS ((uint64_t)1000000)

static struct lt_pair cell __attribute__((aligned(16)));
static atomic_bool stop;

static uint64_t partner_of(uint64_t x) {
    return x * 0x9e3779b97f4a7c15u ^ 0x5555;
}

static void *replace_for_ever(void *argument) {
    unsigned __int128 *word = (void *)&cell;
    for (uint64_t x = 1; !atomic_load(&stop); x++) {
        unsigned __int128 next = (unsigned __int128)partner_of(x) << 64 | x;
        __sync_bool_compare_and_swap(word, *word, next); /* the only writer: it always succeeds */
    }
    return argument;
}

static void reads_no_mixture(void) {
    pthread_t writer;
    uint64_t changes = 0, last = 0, start = lt_clock_mono_ns();
    cell = (struct lt_pair){0, partner_of(0)};
    atomic_store(&stop, false);
    assert_int_equal(pthread_create(&writer, NULL, replace_for_ever, NULL), 0);
    /* On a busy machine the writer may get its turn late. */
    for (uint64_t passed = 0; passed < 200 * MS || (changes < 200 && passed < 60000 * MS);
         passed = lt_clock_mono_ns() - start)
        for (int i = 0; i < 1000; i++) {
            struct lt_pair pair = lt_load16(&cell);
            if (pair.second != partner_of(pair.first))
                fail_msg("mixture after %llu changes", (unsigned long long)changes);
            changes += pair.first != last;
            last = pair.first;
        }
    atomic_store(&stop, true);
    assert_int_equal(pthread_join(writer, NULL), 0);
    assert_true(changes >= 200); /* else nobody wrote and nothing was tested */
}

static void reads_one_moment_the_slow_way(void **state) {
    (void)state;
    lt_load16_is_plain = false;
    reads_no_mixture();
}

static void reads_one_moment_the_way_this_cpu_can(void **state) {
    (void)state;
    lt_load16_init();
    print_message("plain load: %s\n", lt_load16_is_plain ? "yes" : "no");
    reads_no_mixture();
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(reads_one_moment_the_slow_way),
    cmocka_unit_test(reads_one_moment_the_way_this_cpu_can),
};
LT_UNIT_MAIN(tests)
