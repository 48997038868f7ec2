#include "track/tally.h"

#include "base/attrs.h"
#include "os/arena.h"
#include "track/sampler.h"
#include "track/thread.h"

#include <string.h>

enum { CENTISECONDS = 100 };

uint32_t lt_age_class(uint32_t birth, uint32_t now) {
    uint32_t seconds = now > birth ? (now - birth) / CENTISECONDS : 0;
    return seconds ? 32 - (uint32_t)__builtin_clz(seconds) : 0;
}

static struct lt_age *age_at(const struct lt_tally *tally, uint32_t index) {
    return lt_vector_at(&tally->ages, index);
}

static LT_COLD struct lt_age *add_age(struct lt_tally *tally, struct lt_site *site, uint32_t age_class) {
    const bool complete = !lt_sampling_mean || lt_vector_resize(&tally->samples, tally->ages.count + 1);
    struct lt_age *age = complete ? lt_vector_add(&tally->ages) : NULL;
    if (!age) {
        tally->incomplete = true;
        site->ages = LT_AGES_LOST;
        return NULL;
    }
    age->next = site->ages;
    age->age_class = age_class;
    site->ages = tally->ages.count - 1;
    return age;
}

static struct lt_age *age_of(struct lt_tally *tally, struct lt_site *site, uint32_t age_class) {
    if (lt_unlikely(site->ages == LT_AGES_LOST))
        return NULL;
    for (uint32_t i = site->ages; i; i = age_at(tally, i)->next)
        if (age_at(tally, i)->age_class == age_class)
            return age_at(tally, i);
    return add_age(tally, site, age_class);
}

static void count_sample(struct lt_tally *tally, const struct lt_age *age, const struct lt_weight *weight) {
    struct lt_age_samples *samples = lt_vector_at(&tally->samples, (uint32_t)(age - age_at(tally, 0)));
    samples->count++;
    samples->count_variance = lt_saturated_sum(samples->count_variance, weight->count_variance);
    samples->bytes_variance = lt_saturated_sum(samples->bytes_variance, weight->bytes_variance);
}

static void count_block(struct lt_tally *tally, const struct lt_live_block *block) {
    struct lt_live_sums *heap = &tally->sums[LT_KIND_HEAP];
    if (block->state & LT_LIVE_IGNORED)
        return;
    const struct lt_weight weight = lt_weight_of(LT_KIND_HEAP, block->size);
    if (lt_unlikely(lt_inherited(block->site))) {
        heap->inherited_count += weight.count;
        heap->inherited_bytes += weight.bytes;
        return;
    }
    heap->live_count += weight.count;
    heap->live_bytes += weight.bytes;
    struct lt_age *age = age_of(tally, lt_site_at(block->site), lt_age_class(block->birth, tally->now));
    if (lt_unlikely(!age))
        return;
    age->count += weight.count;
    age->bytes += weight.bytes;
    if (lt_unlikely(lt_sampling_mean != 0))
        count_sample(tally, age, &weight);
}

void lt_tally_inherited(struct lt_tally *tally, enum lt_kind kind, uint64_t size) {
    tally->sums[kind].inherited_count++;
    tally->sums[kind].inherited_bytes += size;
}

void lt_tally_add(struct lt_tally *tally, uint32_t number, uint64_t size, uint32_t birth) {
    struct lt_site *site = lt_site_at(number);
    struct lt_live_sums *sums = &tally->sums[site->kind];
    sums->live_count++;
    sums->live_bytes += size;
    struct lt_age *age = age_of(tally, site, lt_age_class(birth, tally->now));
    if (lt_unlikely(!age))
        return;
    age->count++;
    age->bytes += size;
}

/* What the last snapshot left. Sites made from here on start without. */
static void forget_ages(void) {
    for (struct lt_thread *thread = lt_thread_first(); thread; thread = thread->next) {
        struct lt_pool_cursor cursor = {0, 0};
        for (struct lt_site *site; (site = lt_pool_next(&thread->stacks.sites, &cursor, NULL));)
            site->ages = 0;
    }
}

void lt_tally_take(struct lt_tally *tally, uint32_t now, struct lt_live_region *region) {
    memset(tally, 0, sizeof *tally);
    tally->now = now;
    lt_vector_init(&tally->ages, sizeof(struct lt_age));
    lt_vector_init(&tally->samples, sizeof(struct lt_age_samples));
    forget_ages();
    if (!lt_vector_add(&tally->ages)) /* so that index 0 can mean "none" */
        tally->ages.count = tally->ages.capacity;
    struct lt_live_cursor cursor = {0};
    while (lt_live_next_region(&cursor, region)) {
        for (uint32_t i = 0; i < region->count; i++) /* a miss each, all at once */
            __builtin_prefetch(lt_site_at(region->blocks[i].site), 1);
        for (uint32_t i = 0; i < region->count; i++)
            count_block(tally, &region->blocks[i]);
    }
}

void lt_tally_free(struct lt_tally *tally) {
    lt_vector_free(&tally->ages);
    lt_vector_free(&tally->samples);
}
