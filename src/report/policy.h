/* --fail-on: what is condemned. An expression says what must not be:
 *
 *     KIND[.MEASURE] OPERATOR NUMBER        heap>0   heap.bytes>1M   heap.blocks>=10   any.growth.bytes>64K
 *
 *   KIND      a resource kind (heap, ...), or `any` for the sum over all kinds
 *   MEASURE   blocks (default), bytes, sites; with --base also growth.blocks, growth.bytes: newer minus older
 *   OPERATOR  > >= < <= == != (and = for ==)
 *   NUMBER    bytes take K, M, G, T (powers of 1024); growth may be negative
 *
 * What it counts is what the report selects, before --top cuts it: --kind, --focus, --ignore and --min-age narrow a
 * policy. Blocks inherited by fork are not counted. */
#ifndef LT_REPORT_POLICY_H
#define LT_REPORT_POLICY_H

#include "base/status.h"
#include "report/table.h"

#include <stdbool.h>

enum lt_measure {
    LT_MEASURE_BLOCKS,
    LT_MEASURE_BYTES,
    LT_MEASURE_SITES,
    LT_MEASURE_GROWTH_BLOCKS,
    LT_MEASURE_GROWTH_BYTES
};

struct lt_policy {
    const char *text; /* as given; must outlive the policy */
    uint32_t kind;    /* 0: any */
    enum lt_measure measure;
    enum lt_operator { LT_OP_GT, LT_OP_GE, LT_OP_LT, LT_OP_LE, LT_OP_EQ, LT_OP_NE } op;
    int64_t limit;
    int64_t found; /* by lt_policy_judge */
    bool breached;
};

/* -EINVAL after saying what is wrong. */
LT_STATUS lt_policy_parse(struct lt_policy *, const char *text);
bool lt_policy_needs_base(const struct lt_policy *);

/* Judges settled rows (lt_table_settle). Returns whether the policy is breached. */
bool lt_policy_judge(struct lt_policy *, const struct lt_table *);

/* "heap.blocks is 12, which breaches heap>0" or "... which heap>0 allows" */
char *lt_policy_verdict(const struct lt_policy *, struct lt_pool *);

#endif
