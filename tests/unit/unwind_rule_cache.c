/* The cache gives a rule back as it was added, or says it does not know: while it grows, while ranges are dropped, and
 * while threads add and look at once. */
#include "unwind/rule_cache.h"

#include "os/arena.h"
#include "unit.h"

#include <pthread.h>
#include <string.h>

enum { STRIDE = 5 };

/* The rule of an address in these tests: a function of the address. */
static struct lt_rule rule_of(uintptr_t ip, bool interrupted) {
    return (struct lt_rule){.class = interrupted ? LT_RULE_FP : LT_RULE_SP,
                            .cfa_offset = (int32_t)(ip / STRIDE % 1000 * 8)};
}

static void add(uintptr_t ip, bool interrupted) {
    lt_rule_cache_add(ip, interrupted, rule_of(ip, interrupted), lt_rule_cache_generation());
}

/* Whether it is known; what is known must be right. */
static bool find(uintptr_t ip, bool interrupted) {
    struct lt_rule found, right = rule_of(ip, interrupted);
    if (!lt_rule_cache_find(ip, interrupted, &found))
        return false;
    assert_memory_equal(&found, &right, sizeof right);
    return true;
}

static void many_rules_are_kept(void **state) {
    enum { N = 200000 };
    const uintptr_t base = 0x555555554000;
    (void)state;
    assert_false(find(base, false));
    for (uintptr_t i = 0; i < N; i++)
        add(base + i * STRIDE, false);
    unsigned known = 0;
    for (uintptr_t i = 0; i < N; i++)
        known += find(base + i * STRIDE, false);
    assert_int_equal(known, N);
    assert_false(find(base + 1, false));
    assert_false(find(base, true));
}

static void interrupted_frames_have_rules_of_their_own(void **state) {
    const uintptr_t ip = 0x7f0000001234;
    (void)state;
    add(ip, true);
    assert_false(find(ip, false));
    assert_true(find(ip, true));
    add(ip, false);
    assert_true(find(ip, false) && find(ip, true));
}

static void the_ends_of_the_address_space(void **state) {
    (void)state;
    add(LT_CODE_LOWEST, false);
    add(((uintptr_t)1 << LT_ADDRESS_BITS) - 1, true);
    assert_true(find(LT_CODE_LOWEST, false));
    assert_true(find(((uintptr_t)1 << LT_ADDRESS_BITS) - 1, true));
}

static void ranges_are_dropped(void **state) {
    const uintptr_t base = 0x7e0000000000;
    (void)state;
    for (uintptr_t i = 0; i < 1000; i++)
        add(base + i * STRIDE, false);
    assert_false(lt_rule_cache_drop(base + 100 * STRIDE, base + 200 * STRIDE));
    for (uintptr_t i = 0; i < 1000; i++)
        assert_int_equal(find(base + i * STRIDE, false), i < 100 || i >= 200);
    struct lt_rule anonymous = {.class = LT_RULE_FRAME_POINTER, .flags = LT_RULE_ANONYMOUS};
    lt_rule_cache_add(base + 150 * STRIDE, false, anonymous, lt_rule_cache_generation());
    assert_true(lt_rule_cache_drop(base + 100 * STRIDE, base + 200 * STRIDE));
    assert_false(lt_rule_cache_drop(base + 100 * STRIDE, base + 200 * STRIDE));
}

static void a_rule_from_before_a_drop_is_not_kept(void **state) {
    const uintptr_t ip = 0x7d0000000000;
    (void)state;
    uint32_t before = lt_rule_cache_generation();
    lt_rule_cache_drop(ip, ip + 1);
    lt_rule_cache_add(ip, false, rule_of(ip, false), before);
    assert_false(find(ip, false));
}

/* ---- threads ---- */

enum { THREADS = 4, ADDRESSES = 30000, ROUNDS = 4 };
static const uintptr_t shared = 0x7c0000000000;

static void *hammer(void *seed) {
    uint64_t x = (uintptr_t)seed * 2654435761u + 1;
    intptr_t wrong = 0;
    for (unsigned i = 0; i < ROUNDS * ADDRESSES; i++) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        uintptr_t ip = shared + x % ADDRESSES * STRIDE;
        struct lt_rule found, right = rule_of(ip, x >> 63);
        if (lt_rule_cache_find(ip, x >> 63, &found))
            wrong += memcmp(&found, &right, sizeof right) != 0;
        else
            add(ip, x >> 63);
        if (x % 10007 == 0)
            lt_rule_cache_drop(shared, shared + ADDRESSES / 2 * STRIDE);
    }
    return (void *)wrong;
}

static void threads_see_right_rules_or_none(void **state) {
    pthread_t threads[THREADS];
    (void)state;
    for (intptr_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, hammer, (void *)i), 0);
    for (int i = 0; i < THREADS; i++) {
        void *wrong;
        pthread_join(threads[i], &wrong);
        assert_null(wrong);
    }
}

/* ---- without memory ---- */

static void a_full_arena_forgets_but_works(void **state) {
    enum { N = 300000 };
    const uintptr_t base = 0x100000000000;
    (void)state;
    lt_arena_fail_after(1);
    for (uintptr_t i = 0; i < N; i++) {
        add(base + i * 7, false);
        struct lt_rule found, right = rule_of(base + i * 7, false);
        assert_true(lt_rule_cache_find(base + i * 7, false, &found));
        assert_memory_equal(&found, &right, sizeof right);
    }
    lt_arena_fail_after(0);
}

int main(void) {
    if (lt_arena_init() != 0 || lt_rule_cache_init() != 0)
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_rules_are_kept),
        cmocka_unit_test(interrupted_frames_have_rules_of_their_own),
        cmocka_unit_test(the_ends_of_the_address_space),
        cmocka_unit_test(ranges_are_dropped),
        cmocka_unit_test(a_rule_from_before_a_drop_is_not_kept),
        cmocka_unit_test(threads_see_right_rules_or_none),
        cmocka_unit_test(a_full_arena_forgets_but_works),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
