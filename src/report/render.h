/* The forms of a report. A renderer only prints: everything has been selected, resolved, sorted and judged. */
#ifndef LT_REPORT_RENDER_H
#define LT_REPORT_RENDER_H

#include "report/filter.h"
#include "report/policy.h"
#include "report/table.h"
#include "report/terminal.h"

struct lt_report {
    const struct lt_model *model;
    const struct lt_model *base; /* NULL: no comparison */
    const struct lt_table *table;
    size_t shown; /* the first so many rows of the table are listed; their names are resolved */
    enum lt_by by;
    enum lt_sort sort;
    bool list;  /* descriptors, mappings and threads one by one, at most `top` of each */
    size_t top; /* 0: all */
    const struct lt_filter *filter;
    const struct lt_selection *selection;
    uint32_t recorded;                /* bit n: kind n (recorded.h) */
    const char *nameless, *lineless;  /* modules without symbols, or debug information (nameless.h); NULL: none */
    const char *siblings;             /* other dumps (siblings.h); NULL: none */
    const struct lt_policy *policies; /* judged */
    size_t policy_count;
};

void lt_render_text(const struct lt_report *, const struct lt_terminal *); /* for people */
void lt_render_json(const struct lt_report *, FILE *);                     /* docs/report-json.md */

const char *lt_trigger_word(uint32_t trigger); /* "periodic", ..., "unknown" */

/* Parts of the text. */
void lt_render_summary(const struct lt_report *, const struct lt_terminal *);  /* all above the rows */
void lt_render_findings(const struct lt_report *, const struct lt_terminal *); /* what is plainly wrong, with stacks */
void lt_render_limits(const struct lt_report *, const struct lt_terminal *);   /* what the kernel counts, and allows */
void lt_render_memory(const struct lt_report *, const struct lt_terminal *);   /* where it is */
void lt_render_sockets(const struct lt_report *, const struct lt_terminal *);  /* by state and peer */
void lt_render_list(const struct lt_report *, const struct lt_terminal *);     /* resource by resource */

/* render_stack.c: prints stacks one after the other; what a stack shares with the one before at its outer end is left
 * out. */
struct lt_stack_printer {
    struct lt_stack stack, previous;
    size_t previous_number;           /* of the row, 0: none yet */
    size_t left_out, left_out_number; /* so many outer frames of `previous` stand in that row */
};
void lt_render_stack(const struct lt_report *, const struct lt_terminal *, struct lt_stack_printer *,
                     const struct lt_row *, size_t number);

#endif
