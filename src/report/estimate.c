#include "report/estimate.h"

#include <math.h>
#include <stdio.h>

static struct lt_variance variance_of(const struct lt_dump_snapshot *snapshot, uint64_t count, uint64_t bytes) {
    const double unit = (double)snapshot->sampling_mean / 256;
    return (struct lt_variance){(double)count / 256, (double)bytes * unit * unit};
}

struct lt_variance lt_live_variance(const struct lt_dump_snapshot *snapshot, const struct lt_dump_sample *sample) {
    return variance_of(snapshot, sample->live_count_variance, sample->live_bytes_variance);
}

struct lt_variance lt_alloc_variance(const struct lt_dump_snapshot *snapshot, const struct lt_dump_sample *sample) {
    return variance_of(snapshot, sample->alloc_count_variance, sample->alloc_bytes_variance);
}

struct lt_variance lt_variance_sum(struct lt_variance a, struct lt_variance b) {
    return (struct lt_variance){a.count + b.count, a.bytes + b.bytes};
}

struct lt_variance lt_release_variance(struct lt_variance alloc, struct lt_variance live) {
    return (struct lt_variance){fmax(alloc.count - live.count, 0), fmax(alloc.bytes - live.bytes, 0)};
}

uint32_t lt_estimated_kinds(const struct lt_dump_snapshot *snapshot) {
    return snapshot->sampling_mean ? (uint32_t)1 << LT_KIND_HEAP : 0;
}

uint64_t lt_standard_error(double variance) {
    return (uint64_t)(sqrt(variance) + 0.5);
}

struct lt_human lt_human_error(double number, double variance) {
    struct lt_human result = {""};
    const double percent = 100 * sqrt(variance) / fabs(number);
    if (number == 0)
        return result;
    if (percent > 0 && percent < 0.1)
        snprintf(result.text, sizeof result.text, "± < 0.1 %%");
    else
        snprintf(result.text, sizeof result.text, "± %.*f %%", percent > 0 && percent < 9.95 ? 1 : 0, percent);
    return result;
}
