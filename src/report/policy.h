/* --fail-on: what is condemned. An expression says what must not be:
 *
 *     KIND[.MEASURE] OPERATOR NUMBER        heap>0   heap.bytes>1M   heap.blocks>=10   any.growth.bytes>64K
 *
 *   KIND      a resource kind (heap, ...), or `any` for the sum over all kinds
 *   MEASURE   blocks (default), bytes, sites: what is live, without what run-time libraries keep on purpose
 * (runtime.h); all.blocks, all.bytes: with it; growth.blocks, growth.bytes, in a comparison: newer minus older OPERATOR
 * > >= < <= == != (and = for ==) NUMBER    bytes take K, M, G, T (powers of 1024); growth may be negative
 *
 * What it counts is what the report selects, before --top cuts it: --kind, --focus, --ignore and --min-age narrow a
 * policy. Blocks inherited by fork are not counted. */
#ifndef LT_REPORT_POLICY_H
#define LT_REPORT_POLICY_H

#include "base/status.h"
#include "report/table.h"

#include <stdbool.h>

/* X(NAME, word, unit is bytes, needs a comparison) */
#define LT_MEASURES(X)                                                                                                 \
    X(BLOCKS, "blocks", false, false)                                                                                  \
    X(BYTES, "bytes", true, false)                                                                                     \
    X(SITES, "sites", false, false)                                                                                    \
    X(ALL_BLOCKS, "all.blocks", false, false)                                                                          \
    X(ALL_BYTES, "all.bytes", true, false)                                                                             \
    X(GROWTH_BLOCKS, "growth.blocks", false, true)                                                                     \
    X(GROWTH_BYTES, "growth.bytes", true, true)

enum lt_measure {
#define X(name, word, is_bytes, is_growth) LT_MEASURE_##name,
    LT_MEASURES(X)
#undef X
};

struct lt_policy {
    const char *text; /* as given; must outlive the policy */
    uint32_t kind;    /* 0: any */
    enum lt_measure measure;
    enum lt_operator { LT_OP_GT, LT_OP_GE, LT_OP_LT, LT_OP_LE, LT_OP_EQ, LT_OP_NE } op;
    int64_t limit;
    int64_t found; /* by lt_policy_judge */
    uint64_t kept; /* blocks that run-time libraries keep and the measure leaves out */
    bool breached;
};

/* -EINVAL after saying what is wrong. */
LT_STATUS lt_policy_parse(struct lt_policy *, const char *text);
bool lt_policy_needs_base(const struct lt_policy *);

/* Judges settled rows (lt_table_settle). Returns whether the policy is breached. */
bool lt_policy_judge(struct lt_policy *, const struct lt_table *);

/* "breached: heap>0 (heap.blocks is 12)", "not breached: ...": one line, alive as long as the pool. */
char *lt_policy_verdict(const struct lt_policy *, struct lt_pool *);

#endif
