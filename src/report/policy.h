/* --fail-on: what is condemned. An expression says what must not be:
 *
 *     KIND[.MEASURE] OPERATOR NUMBER        heap>0   heap.bytes>1M   file>0   descriptors>100   any.growth.bytes>64K
 *     FACT OPERATOR NUMBER                  close_wait>0   misuse>0   unattributed>0
 *
 *   KIND      a resource kind (heap, ...), `descriptors` for those that are open files, or `any` for all kinds
 *   MEASURE   blocks (default; count), bytes, sites: what is live, without what run-time libraries keep on purpose
 *             (runtime.h); all.blocks, all.bytes: with it; growth.blocks, growth.bytes, in a comparison: newer minus
 *             older
 *   FACT      what the kernel's list says: LT_FACTS
 *   OPERATOR  > >= < <= == != (and = for ==)
 *   NUMBER    bytes take K, M, G, T (powers of 1024); growth may be negative
 *
 * What it counts is what the report selects, before --top cuts it: --kind, --focus, --ignore and --min-age narrow a
 * policy. What was inherited is in no kind, only in open_files. Where blocks were sampled it is judged by the estimate,
 * and the verdict says so. */
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

/* X(NAME, word) */
#define LT_FACTS(X)                                                                                                    \
    X(OPEN_FILES, "open_files")     /* descriptors of any origin */                                                    \
    X(UNATTRIBUTED, "unattributed") /* descriptors that no hook has seen come */                                       \
    X(CLOSE_WAIT, "close_wait")     /* sockets whose peer has closed */                                                \
    X(UNJOINED, "unjoined")         /* threads that ended and were never joined */                                     \
    X(MISUSE, "misuse")             /* double closes and closes of what belongs to a stream, ... */

enum lt_fact {
    LT_FACT_NONE,
#define X(name, word) LT_FACT_##name,
    LT_FACTS(X)
#undef X
};

struct lt_policy {
    const char *text;  /* as given; must outlive the policy */
    uint32_t kinds;    /* bit n: kind n; 0: any */
    enum lt_fact fact; /* instead of kinds and measure */
    enum lt_measure measure;
    enum lt_operator { LT_OP_GT, LT_OP_GE, LT_OP_LT, LT_OP_LE, LT_OP_EQ, LT_OP_NE } op;
    int64_t limit;
    int64_t found;    /* by lt_policy_judge */
    bool is_estimate; /* blocks were sampled: found is estimated ... */
    double variance;  /* ... and this sure; 0 for sites, of which only the sampled ones are known */
    uint64_t kept;    /* blocks that run-time libraries keep and the measure leaves out */
    bool breached;
};

/* -EINVAL after saying what is wrong. */
LT_STATUS lt_policy_parse(struct lt_policy *, const char *text);
bool lt_policy_needs_base(const struct lt_policy *);

/* Judges settled rows (lt_table_settle) and the resources of the (newer) model. Returns whether the policy is breached.
 */
bool lt_policy_judge(struct lt_policy *, const struct lt_table *, const struct lt_model *);

/* "breached: heap>0 (heap.blocks is 12)", "not breached: ...": one line, alive as long as the pool. */
char *lt_policy_verdict(const struct lt_policy *, struct lt_pool *);

#endif
