/* A bounded reader of little-endian unwind information. Reading past the end gives zeros and sets `bad`, so that a
 * parser checks once, at its end. */
#ifndef LT_UNWIND_BYTES_H
#define LT_UNWIND_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct lt_bytes {
    const uint8_t *at, *end;
    bool bad;
};

static inline size_t lt_bytes_left(const struct lt_bytes *in) {
    return (size_t)(in->end - in->at);
}

static inline void lt_bytes_fail(struct lt_bytes *in) {
    in->at = in->end;
    in->bad = true;
}

/* Copies `size` bytes, or zeros where there are not as many. */
static inline void lt_bytes_copy(struct lt_bytes *in, void *to, size_t size) {
    if (lt_bytes_left(in) < size) {
        memset(to, 0, size);
        lt_bytes_fail(in);
        return;
    }
    memcpy(to, in->at, size);
    in->at += size;
}

static inline void lt_bytes_skip(struct lt_bytes *in, uint64_t size) {
    if (lt_bytes_left(in) < size)
        lt_bytes_fail(in);
    else
        in->at += size;
}

/* The next `size` bytes as a reader of their own. */
static inline struct lt_bytes lt_bytes_take(struct lt_bytes *in, uint64_t size) {
    struct lt_bytes part = {in->at, in->at, false};
    lt_bytes_skip(in, size);
    if (!in->bad)
        part.end = in->at;
    part.bad = in->bad;
    return part;
}

static inline uint8_t lt_bytes_u8(struct lt_bytes *in) {
    uint8_t v;
    lt_bytes_copy(in, &v, sizeof v);
    return v;
}

static inline uint16_t lt_bytes_u16(struct lt_bytes *in) {
    uint16_t v;
    lt_bytes_copy(in, &v, sizeof v);
    return v;
}

static inline uint32_t lt_bytes_u32(struct lt_bytes *in) {
    uint32_t v;
    lt_bytes_copy(in, &v, sizeof v);
    return v;
}

static inline uint64_t lt_bytes_u64(struct lt_bytes *in) {
    uint64_t v;
    lt_bytes_copy(in, &v, sizeof v);
    return v;
}

/* LEB128; bits above the 64th are dropped. `*shift` is the number of bits read. */
static inline uint64_t lt_bytes_leb(struct lt_bytes *in, unsigned *shift, uint8_t *last) {
    uint64_t v = 0;
    *shift = 0;
    do {
        *last = lt_bytes_u8(in);
        if (*shift < 64)
            v |= (uint64_t)(*last & 0x7f) << *shift;
        *shift += 7;
    } while (*last & 0x80);
    return v;
}

static inline uint64_t lt_bytes_uleb(struct lt_bytes *in) {
    unsigned shift;
    uint8_t last;
    return lt_bytes_leb(in, &shift, &last);
}

static inline int64_t lt_bytes_sleb(struct lt_bytes *in) {
    unsigned shift;
    uint8_t last;
    uint64_t v = lt_bytes_leb(in, &shift, &last);
    if (shift < 64 && (last & 0x40))
        v |= ~UINT64_C(0) << shift;
    return (int64_t)v;
}

#endif
