/* Slicing by eight: eight table look-ups digest eight bytes. Table k holds the CRC of each byte followed by k zero
 * bytes. A CRC is linear, so eight entries of a table (those of the single bits) give all the others by XOR; the
 * compiler does it, and the table needs no code at start-up. */
#include "base/crc32c.h"

#define BIT(n, bit, value) ((n) & (bit) ? (value) : 0u)
#define BYTE(n, b0, b1, b2, b3, b4, b5, b6, b7)                                                                        \
    (BIT(n, 1, b0) ^ BIT(n, 2, b1) ^ BIT(n, 4, b2) ^ BIT(n, 8, b3) ^ BIT(n, 16, b4) ^ BIT(n, 32, b5) ^                 \
     BIT(n, 64, b6) ^ BIT(n, 128, b7))
#define X4(n, ...)  BYTE(n, __VA_ARGS__), BYTE(n + 1, __VA_ARGS__), BYTE(n + 2, __VA_ARGS__), BYTE(n + 3, __VA_ARGS__)
#define X16(n, ...) X4(n, __VA_ARGS__), X4(n + 4, __VA_ARGS__), X4(n + 8, __VA_ARGS__), X4(n + 12, __VA_ARGS__)
#define X64(n, ...) X16(n, __VA_ARGS__), X16(n + 16, __VA_ARGS__), X16(n + 32, __VA_ARGS__), X16(n + 48, __VA_ARGS__)
#define X256(...)                                                                                                      \
    { X64(0, __VA_ARGS__), X64(64, __VA_ARGS__), X64(128, __VA_ARGS__), X64(192, __VA_ARGS__) }

/* The polynomial 0x82f63b78 shifted on bit by bit: row k, entry i is the CRC of the byte 1 << i and k zero bytes. The
 * test computes them again, one bit at a time. */
static const uint32_t tables[8][256] = {
    X256(0xf26b8303, 0xe13b70f7, 0xc79a971f, 0x8ad958cf, 0x105ec76f, 0x20bd8ede, 0x417b1dbc, 0x82f63b78),
    X256(0x13a29877, 0x274530ee, 0x4e8a61dc, 0x9d14c3b8, 0x3fc5f181, 0x7f8be302, 0xff17c604, 0xfbc3faf9),
    X256(0xa541927e, 0x4f6f520d, 0x9edea41a, 0x38513ec5, 0x70a27d8a, 0xe144fb14, 0xc76580d9, 0x8b277743),
    X256(0xdd45aab8, 0xbf672381, 0x7b2231f3, 0xf64463e6, 0xe964b13d, 0xd725148b, 0xaba65fe7, 0x52a0c93f),
    X256(0x38116fac, 0x7022df58, 0xe045beb0, 0xc5670b91, 0x8f2261d3, 0x1ba8b557, 0x37516aae, 0x6ea2d55c),
    X256(0xef306b19, 0xdb8ca0c3, 0xb2f53777, 0x6006181f, 0xc00c303e, 0x85f4168d, 0x0e045beb, 0x1c08b7d6),
    X256(0x68032cc8, 0xd0065990, 0xa5e0c5d1, 0x4e2dfd53, 0x9c5bfaa6, 0x3d5b83bd, 0x7ab7077a, 0xf56e0ef4),
    X256(0x493c7d27, 0x9278fa4e, 0x211d826d, 0x423b04da, 0x847609b4, 0x0d006599, 0x1a00cb32, 0x34019664),
};

static uint32_t little32(const uint8_t *at) {
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

/* Four bytes that are followed by `behind` more in the same step. */
static uint32_t four(uint32_t word, unsigned behind) {
    return tables[behind + 3][word & 0xff] ^ tables[behind + 2][word >> 8 & 0xff] ^
           tables[behind + 1][word >> 16 & 0xff] ^ tables[behind][word >> 24];
}

uint32_t lt_crc32c(uint32_t crc, const void *bytes, size_t size) {
    const uint8_t *at = bytes;
    crc = ~crc;
    for (; size >= 8; size -= 8, at += 8)
        crc = four(crc ^ little32(at), 4) ^ four(little32(at + 4), 0);
    for (; size; size--, at++)
        crc = crc >> 8 ^ tables[0][(crc ^ *at) & 0xff];
    return ~crc;
}
