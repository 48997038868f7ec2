/* Gives the nodes of models their names. Nothing is resolved before it is asked for, and then in one batch: the
 * symbolizer works module after module. */
#ifndef LT_REPORT_NAMES_H
#define LT_REPORT_NAMES_H

#include "report/model.h"
#include "report/symbolize.h"

/* What is known about a node (struct lt_model, `resolved`). */
struct lt_resolved {
    const struct lt_symbol_line *lines; /* innermost inline first; NULL: not resolved yet */
    uint32_t line_count;
    bool is_needed; /* lt_names_resolve is to resolve it */
    bool is_rooted; /* and all nodes from it to the root */
};

/* Asks for the names of all frames of the site's call stack. */
void lt_names_need(const struct lt_site *);

/* Resolves what was asked for in any of the models and is not known yet. */
void lt_names_resolve(struct lt_symbolizer *, struct lt_model *const *models, size_t count);

#endif
