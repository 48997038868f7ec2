/* What a report lists: a row is a site, or a group of sites that have their place in common (--by). */
#ifndef LT_REPORT_TABLE_H
#define LT_REPORT_TABLE_H

#include "report/filter.h"
#include "report/model.h"
#include "report/stack.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum lt_by { LT_BY_STACK, LT_BY_FUNCTION, LT_BY_FILE, LT_BY_LINE, LT_BY_MODULE };
enum lt_sort { LT_SORT_BYTES, LT_SORT_COUNT, LT_SORT_ALLOC_BYTES, LT_SORT_ALLOC_COUNT, LT_SORT_AGE, LT_SORT_GROWTH };
enum lt_change { LT_CHANGE_NONE, LT_CHANGE_NEW, LT_CHANGE_GROWN, LT_CHANGE_SHRUNK, LT_CHANGE_GONE };

struct lt_row {
    const struct lt_site *site; /* of a group: the one that holds most */
    size_t site_count;
    uint32_t kind;
    bool truncated;
    struct lt_figures figures;
    const char *label;           /* of a group: "function", "file:line", ...; NULL for a single site */
    const char *function, *file; /* of a group, what of it all its sites share; else NULL, 0 */
    unsigned line;
    const struct lt_dump_module *module;
};

struct lt_table {
    struct lt_row *rows;
    size_t count, capacity;
    bool is_diff;
    uint32_t estimated_kinds; /* bit n: figures of kind n are estimates, on either side */
    /* sums over all rows, the later cut ones included, and what a diff leaves out because nothing changed */
    struct lt_figures sums[LT_KIND_END];
    struct lt_figures unchanged;
    size_t unchanged_sites;
    uint32_t unchanged_kinds; /* bit n: kind n */
    struct lt_pool pool;      /* labels */
};

void lt_table_add(struct lt_table *, const struct lt_row *);
void lt_table_free(struct lt_table *);

/* One row per site of the model. */
void lt_table_of_model(struct lt_table *, const struct lt_model *);

/* Joins rows of one kind whose places are equal. Names must be resolved. No-op for LT_BY_STACK. */
void lt_table_group(struct lt_table *, enum lt_by, const struct lt_filter *);

/* Drops what a diff must not list, or, with `held_only`, rows that hold nothing; fills in the sums. After the grouping.
 */
void lt_table_settle(struct lt_table *, bool held_only);

/* Kind by kind, largest first; equal ones in the order of their site ids, so that equal input gives an equal report. */
void lt_table_sort(struct lt_table *, enum lt_sort);

/* Moves the first `top` rows of every kind to the front, all if top is 0; returns how many those are. */
size_t lt_table_cut(struct lt_table *, size_t top);

enum lt_change lt_row_change(const struct lt_figures *);
int64_t lt_delta_count(const struct lt_figures *);
int64_t lt_delta_bytes(const struct lt_figures *);
const char *lt_change_word(enum lt_change); /* "new", "grown", "shrunk", "gone", "unchanged" */

#endif
