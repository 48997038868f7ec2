/* The tally: what a walk over the live index, and the picture of the other resources, find, by site and age. */
#ifndef LT_TRACK_TALLY_H
#define LT_TRACK_TALLY_H

#include "base/kind.h"
#include "track/live_index.h"
#include "track/scratch.h"

#include <stdbool.h>
#include <stdint.h>

/* What is live of one site in one age class; lt_site.ages is the first of a chain. */
struct lt_age {
    uint32_t next; /* index in lt_tally.ages, 0 = the last of its site */
    uint32_t age_class;
    uint64_t count, bytes; /* weights, while sampling */
};

/* While sampling: what of that age is in the index. */
struct lt_age_samples {
    uint64_t count, count_variance, bytes_variance; /* in the units of struct lt_weight */
};

/* lt_site.ages of a site whose ages are not all here, because memory ran out. */
#define LT_AGES_LOST UINT32_MAX

struct lt_live_sums {
    uint64_t live_count, live_bytes, inherited_count, inherited_bytes;
};

struct lt_tally {
    struct lt_vector ages;    /* of struct lt_age; item 0 is none */
    struct lt_vector samples; /* of struct lt_age_samples, one per item of `ages`; empty where nothing is sampled */
    struct lt_live_sums sums[LT_KIND_END];
    uint32_t now;    /* centiseconds; ages are as of then */
    bool incomplete; /* a site's ages were lost; the sums are right */
};

/* Walks over the index. `region` is scratch memory. Whoever calls it holds the snapshot lock. */
void lt_tally_take(struct lt_tally *, uint32_t now, struct lt_live_region *region);

/* Counts one more that is live: acquired at `site` (a number, not an inherited one's), of the site's kind. And one
 * that was acquired before this process was forked, or came with it. */
void lt_tally_add(struct lt_tally *, uint32_t site, uint64_t size, uint32_t birth);
void lt_tally_inherited(struct lt_tally *, enum lt_kind, uint64_t size);

void lt_tally_free(struct lt_tally *);

/* The age class (dump/format.h) of a block born at `birth`. */
uint32_t lt_age_class(uint32_t birth, uint32_t now);

#endif
