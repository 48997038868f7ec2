/* Variable-length integers of the dump and of packed tables: LEB128 (seven bits a byte, least significant first) and
 * zigzag for signed numbers (0, -1, 1, -2 ... become 0, 1, 2, 3 ...). Pure, header only, usable from anywhere. */
#ifndef LT_BASE_VARINT_H
#define LT_BASE_VARINT_H

#include "base/attrs.h"

#include <stddef.h>
#include <stdint.h>

enum { LT_VARINT_MAX = 10 }; /* bytes of the longest: ceil(64 / 7) */

/* Writes `value` at `out`, which has room for LT_VARINT_MAX bytes; returns the number written, 1 .. 10. */
static inline size_t lt_varint_put(uint8_t *out, uint64_t value) {
    size_t length = 0;
    while (value >= 0x80) {
        out[length++] = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    out[length++] = (uint8_t)value;
    return length;
}

/* The number of bytes lt_varint_put would write. */
static inline size_t lt_varint_size(uint64_t value) {
    unsigned bits = 64 - (unsigned)__builtin_clzll(value | 1);
    return (bits + 6) / 7;
}

/* Reads a number from the `size` bytes at `in` into *value; returns the number of bytes it took, or 0 where the bytes
 * end before the number does or where it does not fit 64 bits (*value is then untouched). A number written longer than
 * necessary (0x80 0x00) is accepted: row counts are padded so that they can be filled in later. */
static inline size_t lt_varint_get(const uint8_t *in, size_t size, uint64_t *value) {
    uint64_t sum = 0;
    for (size_t i = 0; i < size && i < LT_VARINT_MAX; i++) {
        uint64_t bits = in[i] & 0x7f;
        if (i == LT_VARINT_MAX - 1 && in[i] > 1) /* bits 64 and above, or an eleventh byte */
            return 0;
        sum |= bits << (7 * i);
        if (!(in[i] & 0x80)) {
            *value = sum;
            return i + 1;
        }
    }
    return 0;
}

static LT_ALWAYS_INLINE uint64_t lt_zigzag(int64_t value) {
    return ((uint64_t)value << 1) ^ (value < 0 ? UINT64_MAX : 0);
}

static LT_ALWAYS_INLINE int64_t lt_unzigzag(uint64_t value) {
    return (int64_t)((value >> 1) ^ (0 - (value & 1)));
}

#endif
