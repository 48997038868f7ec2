/* The mixer: order matters, nothing collides where a bijection can't, and low and high bits are both usable. */
#include "base/hash.h"

#include "unit.h"

static void order_and_length_matter(void **state) {
    (void)state;
    assert_true(lt_hash_add(lt_hash_add(0, 1), 2) != lt_hash_add(lt_hash_add(0, 2), 1));
    assert_true(lt_hash_add(0, 0) != 0);
    assert_true(lt_hash_add(lt_hash_add(0, 0), 0) != lt_hash_add(0, 0));
    assert_true(lt_hash_bytes(0, "ab", 2) != lt_hash_bytes(0, "ba", 2));
    assert_true(lt_hash_bytes(0, "a", 1) != lt_hash_bytes(0, "a\0", 2));
    assert_true(lt_hash_bytes(0, "12345678", 8) != lt_hash_bytes(0, "12345678\0", 9));
    assert_true(lt_hash_bytes(0, "12345678abc", 11) == lt_hash_bytes(0, "12345678abc", 11));
}

/* Return addresses differ in a few middle bits. In a table of twice their number, linear probing must find them within
 * a few steps by the low bits and by the high bits: count how many share a bucket with an earlier one. */
static unsigned collisions(unsigned shift) {
    enum { KEYS = 4096, BUCKETS = 2 * KEYS };
    static unsigned char taken[BUCKETS];
    unsigned count = 0;
    for (unsigned i = 0; i < BUCKETS; i++)
        taken[i] = 0;
    for (uint64_t i = 0; i < KEYS; i++) {
        uint64_t bucket = lt_hash_add(i / 16, 0x7f0012345000 + 5 * i) >> shift & (BUCKETS - 1);
        count += taken[bucket];
        taken[bucket] = 1;
    }
    return count;
}

static void addresses_spread_by_low_and_by_high_bits(void **state) {
    (void)state;
    /* A random function leaves KEYS - BUCKETS * (1 - e^-0.5) = 873 of them, with a standard deviation of about 21. */
    assert_in_range(collisions(0), 873 - 130, 873 + 130);
    assert_in_range(collisions(64 - 13), 873 - 130, 873 + 130);
}

static void each_input_bit_changes_half_of_the_output(void **state) {
    (void)state;
    for (unsigned bit = 0; bit < 64; bit++) {
        unsigned changed = 0;
        for (uint64_t x = 0; x < 256; x++)
            changed +=
                (unsigned)__builtin_popcountll(lt_hash_mix(x * 0x1234567) ^ lt_hash_mix(x * 0x1234567 ^ 1ull << bit));
        assert_in_range(changed, 256 * 28, 256 * 36);
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(order_and_length_matter),
    cmocka_unit_test(addresses_spread_by_low_and_by_high_bits),
    cmocka_unit_test(each_input_bit_changes_half_of_the_output),
};
LT_UNIT_MAIN(tests)
