/* The range search against a plain scan of the same ranges. */
#include "report/symbolize_ranges.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum { ROUNDS = 200, RANGES = 60, SPACE = 200 };

static void an_empty_index_holds_nothing(void **state) {
    (void)state;
    struct lt_ranges ranges = {0};
    lt_ranges_sort(&ranges);
    assert_null(lt_ranges_find(&ranges, 0));
    assert_int_equal(lt_ranges_add(&ranges, 5, 5, 0), 0);
    assert_int_equal(lt_ranges_add(&ranges, 9, 5, 0), 0);
    lt_ranges_sort(&ranges);
    assert_int_equal(ranges.count, 0);
    assert_null(lt_ranges_find(&ranges, 5));
    lt_ranges_free(&ranges);
}

static void bounds_are_half_open(void **state) {
    (void)state;
    struct lt_ranges ranges = {0};
    assert_int_equal(lt_ranges_add(&ranges, 10, 20, 7), 0);
    assert_int_equal(lt_ranges_add(&ranges, UINT64_MAX - 1, UINT64_MAX, 8), 0);
    lt_ranges_sort(&ranges);
    assert_null(lt_ranges_find(&ranges, 9));
    assert_int_equal(lt_ranges_find(&ranges, 10)->value, 7);
    assert_int_equal(lt_ranges_find(&ranges, 19)->value, 7);
    assert_null(lt_ranges_find(&ranges, 20));
    assert_int_equal(lt_ranges_find(&ranges, UINT64_MAX - 1)->value, 8);
    assert_null(lt_ranges_find(&ranges, UINT64_MAX));
    lt_ranges_free(&ranges);
}

/* Whether `a` is the better answer than `b`, in the words of the contract. */
static bool is_inner(const struct lt_range *a, const struct lt_range *b) {
    if (a->start != b->start)
        return a->start > b->start;
    return a->end != b->end ? a->end < b->end : a->value < b->value;
}

static const struct lt_range *scan(const struct lt_range *all, size_t count, uint64_t address) {
    const struct lt_range *best = NULL;
    for (size_t i = 0; i < count; i++)
        if (all[i].start <= address && address < all[i].end && (!best || is_inner(&all[i], best)))
            best = &all[i];
    return best;
}

/* Nested, equal and crossing ranges in random order. */
static void the_innermost_range_is_found(void **state) {
    (void)state;
    srand(1);
    for (int round = 0; round < ROUNDS; round++) {
        struct lt_ranges ranges = {0};
        struct lt_range all[RANGES];
        for (uint32_t i = 0; i < RANGES; i++) {
            uint64_t start = (uint64_t)rand() % SPACE, size = 1 + (uint64_t)rand() % (i % 3 ? 8 : SPACE);
            all[i] = (struct lt_range){.start = start, .end = start + size, .value = i};
            assert_int_equal(lt_ranges_add(&ranges, start, start + size, i), 0);
        }
        lt_ranges_sort(&ranges);
        for (uint64_t address = 0; address < 2 * SPACE + 2; address++) {
            const struct lt_range *expected = scan(all, RANGES, address), *found = lt_ranges_find(&ranges, address);
            assert_int_equal(expected != NULL, found != NULL);
            if (found)
                assert_int_equal(found->value, expected->value);
        }
        lt_ranges_free(&ranges);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_index_holds_nothing),
        cmocka_unit_test(bounds_are_half_open),
        cmocka_unit_test(the_innermost_range_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
