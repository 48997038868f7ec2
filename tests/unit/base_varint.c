/* LEB128 and zigzag: known encodings, every boundary there and back, and every malformed number refused. */
#include "base/varint.h"

#include "unit.h"

#include <string.h>

static void encodes_as_leb128(void **state) {
    (void)state;
    uint8_t out[LT_VARINT_MAX];
    assert_int_equal(lt_varint_put(out, 0), 1);
    assert_memory_equal(out, "\x00", 1);
    assert_int_equal(lt_varint_put(out, 127), 1);
    assert_memory_equal(out, "\x7f", 1);
    assert_int_equal(lt_varint_put(out, 128), 2);
    assert_memory_equal(out, "\x80\x01", 2);
    assert_int_equal(lt_varint_put(out, 624485), 3); /* the example of the DWARF standard's text on LEB128 */
    assert_memory_equal(out, "\xe5\x8e\x26", 3);
    assert_int_equal(lt_varint_put(out, UINT64_MAX), 10);
    assert_memory_equal(out, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 10);
}

static void comes_back_and_refuses_every_cut(uint64_t value) {
    uint8_t out[LT_VARINT_MAX];
    uint64_t back = ~value;
    size_t size = lt_varint_put(out, value);
    assert_int_equal(lt_varint_size(value), size);
    assert_int_equal(lt_varint_get(out, size, &back), size);
    assert_true(back == value);
    for (size_t cut = 0; cut < size; cut++) {
        back = 77;
        assert_int_equal(lt_varint_get(out, cut, &back), 0);
        assert_int_equal(back, 77);
    }
}

static void round_trips_at_every_boundary(void **state) {
    (void)state;
    for (unsigned bit = 0; bit < 64; bit++) {
        uint64_t power = 1ull << bit;
        comes_back_and_refuses_every_cut(power - 1);
        comes_back_and_refuses_every_cut(power);
        comes_back_and_refuses_every_cut(power + 1);
        comes_back_and_refuses_every_cut(~power);
    }
}

static void refuses_what_does_not_fit(void **state) {
    (void)state;
    uint64_t value = 77;
    assert_int_equal(lt_varint_get((const uint8_t *)"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 10, &value), 0);
    assert_int_equal(lt_varint_get((const uint8_t *)"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11, &value), 0);
    assert_int_equal(lt_varint_get((const uint8_t *)"\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00", 11, &value), 0);
    assert_int_equal(value, 77);
}

static void accepts_a_padded_number(void **state) {
    (void)state;
    uint64_t value;
    assert_int_equal(lt_varint_get((const uint8_t *)"\x85\x80\x80\x80\x00", 5, &value), 5);
    assert_int_equal(value, 5);
}

static void zigzag_keeps_small_numbers_small(void **state) {
    (void)state;
    static const int64_t values[] = {0, -1, 1, -2, 2, -3};
    for (unsigned i = 0; i < LT_ARRAY_SIZE(values); i++)
        assert_int_equal(lt_zigzag(values[i]), i);
    assert_true(lt_zigzag(INT64_MAX) == UINT64_MAX - 1);
    assert_true(lt_zigzag(INT64_MIN) == UINT64_MAX);
    for (unsigned bit = 0; bit < 64; bit++) {
        uint64_t power = 1ull << bit;
        assert_true(lt_zigzag(lt_unzigzag(power)) == power);
        assert_true(lt_unzigzag(lt_zigzag((int64_t)power)) == (int64_t)power);
        assert_true(lt_unzigzag(lt_zigzag((int64_t)~power)) == (int64_t)~power);
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(encodes_as_leb128),
    cmocka_unit_test(round_trips_at_every_boundary),
    cmocka_unit_test(refuses_what_does_not_fit),
    cmocka_unit_test(accepts_a_padded_number),
    cmocka_unit_test(zigzag_keeps_small_numbers_small),
};
LT_UNIT_MAIN(tests)
