/* The site rows of one snapshot: the sites of all threads, equal ones merged, in the order that the dump wants. */
#ifndef LT_TRACK_SITES_H
#define LT_TRACK_SITES_H

#include "base/kind.h"
#include "base/status.h"
#include "dump/format.h"
#include "dump/writer.h"
#include "track/scratch.h"
#include "track/tally.h"

#include <stdbool.h>
#include <stdint.h>

struct lt_alloc_sums {
    uint64_t alloc_count, alloc_bytes;
};

struct lt_sites {
    struct lt_vector rows;  /* one per site and thread, from index 1 on */
    bool unsorted;          /* rows are not in the order of their nodes, but chained: */
    struct lt_vector heads; /* by node number: the first row of a chain */
    struct lt_alloc_sums sums[LT_KIND_END];
    uint64_t count;  /* sites of all threads, before merging */
    bool incomplete; /* rows are missing because memory ran out; the sums are right */
};

/* What SAMPLES says of a row. */
struct lt_row_samples {
    uint64_t live, acquired, live_count_variance, live_bytes_variance, alloc_count_variance, alloc_bytes_variance;
};

/* One row in the making: all sites of one (node, kind, flags). Sums of weights, while sampling. */
struct lt_site_row {
    uint64_t live_count, live_bytes, alloc_count, alloc_bytes;
    struct lt_row_samples samples;
    uint32_t first_birth, last_birth;
    uint32_t classes; /* bit n: ages[n] is in use */
    bool used;
    struct {
        uint64_t count, bytes;
    } ages[LT_AGE_CLASSES];
};

/* The rows of one node, by kind and flags. Scratch memory, zeroed before its first use. */
struct lt_site_rows {
    struct lt_site_row row[LT_KIND_END][LT_SITE_FLAGS_END];
};

/* Collects the sites, with their acquire counts as of now. `nodes`: numbers of nodes are below it. `complete`: every
 * node was numbered; then a site whose node is not is younger than the snapshot and left out, else it is counted as
 * missing. */
void lt_sites_collect(struct lt_sites *, uint32_t nodes, bool complete);

/* Writes the rows, with live counts from the tally: SITES, and SAMPLES where blocks are sampled. */
LT_STATUS lt_sites_write(const struct lt_sites *, const struct lt_tally *, struct lt_writer *, struct lt_site_rows *);

void lt_sites_free(struct lt_sites *);

#endif
