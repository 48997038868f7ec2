/* Sampling of heap blocks (LEAKTRACK_SAMPLE): which blocks are recorded at all, and what a recorded one stands for.
 *
 * Every thread counts bytes down to the next point of a Poisson process (base/poisson.h); the block in which the count
 * falls below zero is sampled, before any stack is taken. The count runs behind a block that was sampled, so that
 * blocks are sampled independently of each other. A weight is a function of the size alone: the index needs no room for
 * it, and acquired - released = live holds for estimates as it does for counts, but for the rounding at the end.
 *
 * While sampling, counts and bytes of heap sites and sums are fixed-point numbers (struct lt_weight): lt_whole_count
 * and lt_whole_bytes make whole ones of them. Other kinds are never sampled. */
#ifndef LT_TRACK_SAMPLER_H
#define LT_TRACK_SAMPLER_H

#include "base/attrs.h"
#include "base/kind.h"
#include "base/poisson.h"
#include "os/arch.h"

#include <stdbool.h>
#include <stdint.h>

/* Mean bytes between points, 0 = every block is recorded. Set once, by lt_sampling_init. */
extern uint64_t lt_sampling_mean;

/* Before lt_track_init; at most LT_POISSON_MEAN_MAX. */
void lt_sampling_init(uint64_t mean);

static LT_ALWAYS_INLINE bool lt_is_sampled(enum lt_kind kind) {
    return lt_unlikely(lt_sampling_mean != 0) && kind == LT_KIND_HEAP;
}

/* Of one thread. A handler that allocates in the middle of lt_sampler_stop can make one of the two decisions depend on
 * the other; nothing worse. */
struct lt_sampler {
    int64_t left;     /* bytes to the next stop; below 0: the block at hand has gone past it */
    uint64_t beyond;  /* from there to the next point */
    uint64_t granted; /* granted - left: bytes counted so far */
    uint64_t random;  /* state of the generator */
};

/* Begins anew: no bytes counted, a point drawn from `seed`. */
void lt_sampler_init(struct lt_sampler *, uint64_t seed);

/* Counts a block down; true at a stop: then lt_sampler_stop must decide. HOT PATH of sampling: one instruction on the
 * memory, which no handler can split. */
static LT_ALWAYS_INLINE bool lt_sampler_count(struct lt_sampler *sampler, uint64_t size) {
    return lt_unlikely(lt_arch_take_own(&sampler->left, size + (size == 0)));
}

/* At a stop: whether the block at hand is sampled. If it is not, it is a good time to look at the clock, nothing more:
 * there is a stop at least every LT_STOP_BYTES bytes. Goes on to the next stop. */
enum { LT_STOP_BYTES = 16 * 1024 };
bool lt_sampler_stop(struct lt_sampler *);

/* Bytes counted down so far: exact but for blocks of 0 bytes, which count as 1. Any thread. */
static inline uint64_t lt_sampler_bytes(const struct lt_sampler *sampler) {
    const uint64_t granted = __atomic_load_n(&sampler->granted, __ATOMIC_RELAXED);
    return granted - (uint64_t)__atomic_load_n(&sampler->left, __ATOMIC_RELAXED);
}

/* A filter in front of the index, for the releases of blocks that were not sampled: how many sampled blocks are held by
 * the hash of their address. One that says no is right; one that says yes may be wrong. A count that once was at its
 * most stays there. Any thread. */
enum { LT_FILTER_BITS = 14 };
extern uint8_t lt_sampled_filter[1 << LT_FILTER_BITS];

static LT_ALWAYS_INLINE uint8_t *lt_filter_at(uintptr_t address) {
    return &lt_sampled_filter[(address >> 4 ^ address >> (4 + LT_FILTER_BITS)) & ((1 << LT_FILTER_BITS) - 1)];
}

static LT_ALWAYS_INLINE bool lt_maybe_sampled(uintptr_t address) {
    return lt_unlikely(__atomic_load_n(lt_filter_at(address), __ATOMIC_RELAXED) != 0);
}

void lt_filter_add(uintptr_t address);
void lt_filter_remove(uintptr_t address);

/* What one recorded block of that kind and size stands for; itself where nothing is sampled. */
static LT_ALWAYS_INLINE struct lt_weight lt_weight_of(enum lt_kind kind, uint64_t size) {
    if (lt_is_sampled(kind))
        return lt_poisson_weight(size, lt_sampling_mean);
    return (struct lt_weight){.count = 1, .bytes = size};
}

/* Sums of weights as whole numbers, rounded to the nearest. */
uint64_t lt_whole_count(enum lt_kind, uint64_t count);
uint64_t lt_whole_bytes(enum lt_kind, uint64_t bytes);

#endif
