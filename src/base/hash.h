/* Mixing of 64-bit words for hash tables. Not for hostile keys: no seed, and anybody can compute a collision. The
 * results stay inside one process; what is written to a file as an identity has its own definition there. */
#ifndef LT_BASE_HASH_H
#define LT_BASE_HASH_H

#include "base/attrs.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* A bijection of 64-bit words in which every input bit changes every output bit with a chance of about one half
 * (splitmix64's finaliser, Steele, Lea and Flood, OOPSLA 2014; constants by David Stafford, "mix 13"). */
static LT_ALWAYS_INLINE uint64_t lt_hash_mix(uint64_t x) {
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

/* Folds the next word into a running hash; the order of words matters. Start with any constant, 0 is fine. */
static LT_ALWAYS_INLINE uint64_t lt_hash_add(uint64_t hash, uint64_t word) {
    return lt_hash_mix(hash * 0x9e3779b97f4a7c15u + word + 0x632be59bd9b4e019u);
}

/* The same for `size` bytes: the words in the machine's order, the rest padded with zeros, then the size. */
static inline uint64_t lt_hash_bytes(uint64_t hash, const void *bytes, size_t size) {
    const uint8_t *at = bytes;
    uint64_t word;
    size_t left = size;
    for (; left >= sizeof word; left -= sizeof word, at += sizeof word) {
        memcpy(&word, at, sizeof word);
        hash = lt_hash_add(hash, word);
    }
    word = 0;
    if (left)
        memcpy(&word, at, left);
    return lt_hash_add(lt_hash_add(hash, word), size);
}

#endif
