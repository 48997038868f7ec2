/* Sampling by a Poisson process over bytes: points are strewn over the stream of all bytes ever acquired, `mean` bytes
 * apart on the average, and a block is sampled when a point falls into it. A block of `size` bytes is so with the
 * chance P = 1 - exp(-size / mean), whatever came before it; counted 1/P times, the sampled ones tell of all without
 * bias (the estimator of Horvitz and Thompson). A block of 0 bytes counts as one of 1 byte here.
 *
 * Pure, integers only: it runs in hooks, where a program may have made inexact floating-point results a trap. */
#ifndef LT_BASE_POISSON_H
#define LT_BASE_POISSON_H

#include <stdint.h>

#define LT_POISSON_MEAN_MAX (UINT64_C(1) << 30) /* largest mean; the least is 1 */

/* Bytes to the next point: exponentially distributed, rounded down, for a uniform `random`. The logarithm is right to
 * 2^-38, so the distance to mean * 2^-38 + 1 bytes. Rounding down keeps the chances exact: a whole number of bytes is
 * longer than the distance just when it is longer than the distance rounded down. */
uint64_t lt_poisson_distance(uint64_t random, uint64_t mean);

/* What a sampled block stands for, as fixed-point numbers that can be summed up. */
struct lt_weight {
    uint64_t count; /* 1 / P blocks, in units of 2^-12 */
    uint64_t bytes; /* size / P bytes, in units of 2^-8 */
    /* What it adds to the estimated variance of such sums: (1 - P) / P^2, and that times size^2. Both saturate. */
    uint64_t count_variance; /* in units of 2^-8 block^2 */
    uint64_t bytes_variance; /* in units of (mean / 256)^2 byte^2, at most 2^16 of them */
};
enum { LT_WEIGHT_COUNT_BITS = 12, LT_WEIGHT_BYTES_BITS = 8 };

/* A sum of variances. */
static inline uint64_t lt_saturated_sum(uint64_t a, uint64_t b) {
    uint64_t sum;
    return __builtin_add_overflow(a, b, &sum) ? UINT64_MAX : sum;
}

/* `size` below 2^48. P is right to 2^-32 of itself. */
struct lt_weight lt_poisson_weight(uint64_t size, uint64_t mean);

#endif
