/* Two snapshots, site against site. Equal identities (site_id.h) meet first: restarts and load addresses don't matter.
 * What is left meets by function, file and line, then by functions alone: so a diff survives a rebuild. Where several
 * sites of one side have the same functions they meet in the order of their call instructions if both sides have
 * equally many, else they are joined into one row, because nobody can tell which is which. */
#ifndef LT_REPORT_DIFF_H
#define LT_REPORT_DIFF_H

#include "report/symbolize.h"
#include "report/table.h"

/* One row per site or pair of sites; figures.live is of `newer`, figures.base of `older`. Resolves names as needed. */
void lt_diff(struct lt_table *, struct lt_model *newer, struct lt_model *older, struct lt_symbolizer *);

#endif
