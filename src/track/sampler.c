#include "track/sampler.h"

#include "base/hash.h"

uint64_t lt_sampling_mean;
uint8_t lt_sampled_filter[1 << LT_FILTER_BITS];

void lt_sampling_init(uint64_t mean) {
    lt_sampling_mean = mean;
}

/* splitmix64 */
static int64_t draw(struct lt_sampler *sampler) {
    sampler->random += 0x9e3779b97f4a7c15u;
    return (int64_t)lt_poisson_distance(lt_hash_mix(sampler->random), lt_sampling_mean);
}

/* From here on: `rest` bytes to the next point, `seen` bytes counted. */
static void go_on(struct lt_sampler *sampler, int64_t rest, uint64_t seen) {
    const int64_t step = rest < LT_STOP_BYTES ? rest : LT_STOP_BYTES;
    sampler->beyond = (uint64_t)(rest - step);
    sampler->granted = seen + (uint64_t)step;
    sampler->left = step;
}

void lt_sampler_init(struct lt_sampler *sampler, uint64_t seed) {
    sampler->random = lt_hash_mix(seed);
    go_on(sampler, draw(sampler), 0);
}

bool lt_sampler_stop(struct lt_sampler *sampler) {
    const uint64_t seen = sampler->granted - (uint64_t)sampler->left;
    const int64_t rest = sampler->left + (int64_t)sampler->beyond;
    const bool sampled = rest < 0;
    go_on(sampler, sampled ? draw(sampler) : rest, seen);
    return sampled;
}

static void filter_change(uintptr_t address, uint8_t change) {
    uint8_t *at = lt_filter_at(address), count = __atomic_load_n(at, __ATOMIC_RELAXED);
    while (count != UINT8_MAX && !__atomic_compare_exchange_n(at, &count, (uint8_t)(count + change), true,
                                                              __ATOMIC_RELAXED, __ATOMIC_RELAXED))
        ;
}

void lt_filter_add(uintptr_t address) {
    filter_change(address, 1);
}

void lt_filter_remove(uintptr_t address) {
    filter_change(address, (uint8_t)-1);
}

uint64_t lt_whole_count(enum lt_kind kind, uint64_t count) {
    return lt_is_sampled(kind) ? (count + (1u << (LT_WEIGHT_COUNT_BITS - 1))) >> LT_WEIGHT_COUNT_BITS : count;
}

uint64_t lt_whole_bytes(enum lt_kind kind, uint64_t bytes) {
    return lt_is_sampled(kind) ? (bytes + (1u << (LT_WEIGHT_BYTES_BITS - 1))) >> LT_WEIGHT_BYTES_BITS : bytes;
}
