/* Blocks that the C and C++ run-time libraries keep until the process ends, on purpose: stdio's buffers, the vectors of
 * cached threads, what start-up code acquired. They are nobody's leak, so policies don't count them; reports show and
 * mark them. Each rule errs on the side of a report: what is not surely the library's own counts. */
#ifndef LT_REPORT_RUNTIME_H
#define LT_REPORT_RUNTIME_H

#include "report/model.h"
#include "report/symbolize.h"

/* Fills in figures.kept and figures.sites of the model's sites. Resolves the few names it needs. */
void lt_runtime_mark(struct lt_model *, struct lt_symbolizer *);

/* Whether the module is the C or C++ library, or the dynamic loader. NULL (anonymous code) is not. */
bool lt_is_runtime_module(const struct lt_dump_module *);

#endif
