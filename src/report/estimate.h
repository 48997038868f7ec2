/* Numbers of heap in a dump whose blocks were sampled are estimates (docs/dump-format.md, SAMPLES): how sure they are.
 * Variances add up over disjoint sets of blocks; 0 where every block was recorded. */
#ifndef LT_REPORT_ESTIMATE_H
#define LT_REPORT_ESTIMATE_H

#include "dump/reader.h"
#include "report/human.h"

#include <stdbool.h>
#include <stdint.h>

struct lt_variance {
    double count, bytes; /* block^2, byte^2 */
};

/* Of a row, in these units: what is live, what was acquired. */
struct lt_variance lt_live_variance(const struct lt_dump_snapshot *, const struct lt_dump_sample *);
struct lt_variance lt_alloc_variance(const struct lt_dump_snapshot *, const struct lt_dump_sample *);

struct lt_variance lt_variance_sum(struct lt_variance, struct lt_variance);

/* Of what was released: released and live blocks make up the acquired ones. */
struct lt_variance lt_release_variance(struct lt_variance alloc, struct lt_variance live);

/* Kinds of which the snapshot's numbers are estimates: bit n is kind n. */
uint32_t lt_estimated_kinds(const struct lt_dump_snapshot *);

/* The root of a variance, as a whole number. */
uint64_t lt_standard_error(double variance);

/* The standard error relative to the number: "± 8 %"; "" for a number of 0. */
struct lt_human lt_human_error(double number, double variance);

#endif
