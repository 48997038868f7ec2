#include "base/poisson.h"

enum {
    LOG_BITS = 40,     /* behind the point of a logarithm */
    ONE_BITS = 63,     /* behind the point of a probability */
    SMALL_BITS = 8,    /* a ratio below 2^-SMALL_BITS is small: four terms of the series are enough */
    CERTAIN_TIMES = 44 /* exp(-44) < 2^-63 */
};
#define LN2 0xb17217f7d1cf79abu /* ln 2, in units of 2^-64 */

typedef unsigned __int128 wide;

/* The binary logarithm of m / 2^63, for m >= 2^63: squaring doubles it, and what comes to lie above 2 is the next bit.
 */
static uint64_t log2_of(uint64_t m) {
    uint64_t log = 0;
    for (int bit = 0; bit < LOG_BITS; bit++) {
        const wide square = (wide)m * m;
        const unsigned above = (unsigned)(square >> 127);
        m = (uint64_t)(square >> (63 + above));
        log = log << 1 | above;
    }
    return log;
}

uint64_t lt_poisson_distance(uint64_t random, uint64_t mean) {
    random |= 1; /* zero has no logarithm */
    const unsigned zeros = (unsigned)__builtin_clzll(random);
    const uint64_t log2 = ((uint64_t)(zeros + 1) << LOG_BITS) - log2_of(random << zeros);
    const uint64_t log = (uint64_t)((wide)log2 * LN2 >> 64);
    return (uint64_t)((wide)log * mean >> LOG_BITS);
}

static uint64_t product(uint64_t a, uint64_t b) {
    return (uint64_t)((wide)a * b >> ONE_BITS);
}

/* 1 - exp(-x) of a small x: x - x^2/2 + x^3/6 - x^4/24. */
static uint64_t chance_of_small(uint64_t x) {
    const uint64_t one = (uint64_t)1 << ONE_BITS;
    return product(x, one - product(x / 2, one - product(x / 3, one - x / 4)));
}

/* 1 - exp(-size / mean): halves the ratio until it is small; the chance of twice a ratio is 2P - P^2. */
static uint64_t chance(uint64_t size, uint64_t mean) {
    unsigned halvings = 0;
    while (size << SMALL_BITS >= mean << halvings)
        halvings++;
    uint64_t p = chance_of_small((uint64_t)(((wide)size << (ONE_BITS - halvings)) / mean));
    for (; halvings; halvings--)
        p = 2 * p - product(p, p);
    return p;
}

static uint64_t saturated(wide n) {
    return n > UINT64_MAX ? UINT64_MAX : (uint64_t)n;
}

struct lt_weight lt_poisson_weight(uint64_t size, uint64_t mean) {
    const uint64_t one = (uint64_t)1 << LT_WEIGHT_COUNT_BITS, weighed = size ? size : 1;
    if (weighed / CERTAIN_TIMES >= mean)
        return (struct lt_weight){.count = one, .bytes = size << LT_WEIGHT_BYTES_BITS};
    const uint64_t p = chance(weighed, mean);
    const uint64_t count = (uint64_t)((((wide)one << ONE_BITS) + p / 2) / p);
    const uint64_t bytes = (uint64_t)((((wide)size << (ONE_BITS + LT_WEIGHT_BYTES_BITS)) + p / 2) / p);
    return (struct lt_weight){
        .count = count,
        .bytes = bytes,
        .count_variance = saturated((wide)count * (count - one) >> (2 * LT_WEIGHT_COUNT_BITS - 8)),
        .bytes_variance = saturated((wide)bytes * (bytes - (size << LT_WEIGHT_BYTES_BITS)) / (mean * mean)),
    };
}
