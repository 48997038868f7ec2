/* One snapshot of one dump as the report sees it: sites with an identity of their own.
 *
 *   load.h      the file's bytes, parsed
 *   model.h     rows of the chosen snapshot → sites, merged by identity, restricted to kinds and ages
 *   resources.h descriptors, mappings and threads one by one
 *   names.h     nodes → frames with function, file and line
 *   runtime.h   blocks that are nobody's leak
 *   filter.h    --focus, --ignore, --show, --hide
 *   diff.h      sites of two models matched
 *   table.h     sites or groups of them, sorted: what the renderers print */
#ifndef LT_REPORT_MODEL_H
#define LT_REPORT_MODEL_H

#include "report/estimate.h"
#include "report/load.h"
#include "report/pool.h"
#include "report/resources.h"

#include <stdbool.h>
#include <stdint.h>

struct lt_amount {
    uint64_t count, bytes;
};

enum { LT_NO_AGE = UINT32_MAX };

/* What is known about a set of blocks. */
struct lt_figures {
    struct lt_amount live, alloc; /* still held; acquired since start */
    struct lt_amount kept;        /* of live: by a run-time library, on purpose (runtime.h) */
    struct lt_amount base;        /* in a diff: held in the older snapshot */
    struct lt_variance live_variance, alloc_variance, base_variance; /* of these numbers (estimate.h) */
    uint64_t samples;                       /* recorded blocks that `live` was estimated from */
    uint64_t sites;                         /* how many sites hold more than is kept */
    uint64_t first_birth_ns, last_birth_ns; /* UTC, ns since the epoch; 0 where there is none */
    uint32_t youngest, oldest;              /* age classes of the live blocks (dump/format.h), LT_NO_AGE where none */
};

struct lt_model;
struct lt_resolved;

struct lt_site {
    uint64_t id;                  /* site_id.h */
    const struct lt_model *model; /* whose nodes `node` counts */
    uint32_t node, kind;
    bool truncated;
    bool warm_up; /* acquired before LEAKTRACK_AFTER had passed */
    struct lt_figures figures;
};

struct lt_model {
    const struct lt_loaded *loaded;
    const struct lt_dump *dump;
    const struct lt_dump_snapshot *snapshot;
    uint64_t *stack_ids;          /* per node: site_id.h */
    bool *own_module;             /* per module: it is libleaktrack, whose frames are nobody's business */
    struct lt_resolved *resolved; /* per node: names.h */
    struct lt_variance live_variance, alloc_variance; /* of the totals of heap */
    struct lt_figures warm_up[LT_KIND_END];           /* what was left out for being of the warm-up */
    struct lt_figures allocator;                      /* likewise, for being mapped by malloc (allocator.h) */
    struct lt_figures go_runtime;                     /* likewise, for being Go's own memory (go_runtime.h), */
    bool *is_go_runtime;                              /* per node: the innermost one of such a site */
    struct lt_site *sites;
    size_t site_count;
    struct lt_resources resources;
    struct lt_pool pool;
};

struct lt_selection {
    uint32_t kinds;      /* bit n: kind n; 0 = all */
    uint64_t min_age_cs; /* only blocks at least that old: alloc figures stay whole, live ones count these only */
    bool warm_up;        /* also what was acquired during the warm-up */
    bool inheritable;    /* of descriptors only those that an exec would hand on; likewise */
};

/* Fills in *model with the sites and resources of `snapshot`, which belongs to `loaded`. Both must outlive it. */
void lt_model_build(struct lt_model *, const struct lt_loaded *loaded, const struct lt_dump_snapshot *snapshot,
                    const struct lt_selection *);
void lt_model_free(struct lt_model *);

/* Adds the figures of one set to those of another, disjoint one. */
void lt_figures_add(struct lt_figures *sum, const struct lt_figures *part);

/* Whether a module is libleaktrack.so. */
bool lt_is_own_module(const struct lt_dump_module *);

#endif
