/* CRC-32C against the vectors of RFC 3720, appendix B.4, and against the definition, one bit at a time. */
#include "base/crc32c.h"

#include "unit.h"

#include <string.h>

static uint32_t by_definition(const uint8_t *bytes, size_t size) {
    uint32_t crc = UINT32_MAX;
    for (size_t i = 0; i < size; i++) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78u : 0);
    }
    return ~crc;
}

static void gives_the_vectors_of_rfc3720(void **state) {
    (void)state;
    uint8_t bytes[32];
    memset(bytes, 0, sizeof bytes);
    assert_int_equal(lt_crc32c(0, bytes, sizeof bytes), 0x8a9136aa);
    memset(bytes, 0xff, sizeof bytes);
    assert_int_equal(lt_crc32c(0, bytes, sizeof bytes), 0x62a8ab43);
    for (unsigned i = 0; i < 32; i++)
        bytes[i] = (uint8_t)i;
    assert_int_equal(lt_crc32c(0, bytes, sizeof bytes), 0x46dd794e);
    for (unsigned i = 0; i < 32; i++)
        bytes[i] = (uint8_t)(31 - i);
    assert_int_equal(lt_crc32c(0, bytes, sizeof bytes), 0x113fdb5c);
    assert_int_equal(lt_crc32c(0, "123456789", 9), 0xe3069283); /* the check value of the CRC catalogue */
}

static void is_the_definition_at_every_length_and_alignment(void **state) {
    (void)state;
    uint8_t bytes[128];
    for (unsigned i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 167 + 13);
    for (size_t start = 0; start < 16; start++)
        for (size_t size = 0; size + start <= sizeof bytes; size++)
            assert_int_equal(lt_crc32c(0, bytes + start, size), by_definition(bytes + start, size));
}

/* Each byte value at each of the eight places of a step touches each of the 2048 table entries. */
static void has_every_table_entry_right(void **state) {
    (void)state;
    for (unsigned place = 0; place < 8; place++)
        for (unsigned value = 0; value < 256; value++) {
            uint8_t bytes[8] = {0};
            bytes[place] = (uint8_t)value;
            assert_int_equal(lt_crc32c(0, bytes, 8), by_definition(bytes, 8));
        }
}

static void continues_where_it_stopped(void **state) {
    (void)state;
    const char text[] = "the quick brown fox jumps over the lazy dog";
    uint32_t whole = lt_crc32c(0, text, sizeof text);
    for (size_t cut = 0; cut <= sizeof text; cut++)
        assert_int_equal(lt_crc32c(lt_crc32c(0, text, cut), text + cut, sizeof text - cut), whole);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(gives_the_vectors_of_rfc3720),
    cmocka_unit_test(is_the_definition_at_every_length_and_alignment),
    cmocka_unit_test(has_every_table_entry_right),
    cmocka_unit_test(continues_where_it_stopped),
};
LT_UNIT_MAIN(tests)
