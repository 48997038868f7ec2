/* pprof's four words, as POSIX extended regular expressions that are searched for in a frame's function, file and
 * module path: --focus keeps call stacks with a matching frame, --ignore drops them; --show keeps matching frames,
 * --hide drops them. A word given several times means "any of". */
#ifndef LT_REPORT_FILTER_H
#define LT_REPORT_FILTER_H

#include "base/status.h"
#include "report/model.h"
#include "report/symbolize.h"

#include <stdbool.h>

enum lt_filter_word { LT_FILTER_FOCUS, LT_FILTER_IGNORE, LT_FILTER_SHOW, LT_FILTER_HIDE, LT_FILTER_WORDS };

struct lt_pattern;

struct lt_filter {
    struct lt_pattern *patterns[LT_FILTER_WORDS]; /* a zeroed struct lt_filter lets everything pass */
};

/* Adds an expression. -EINVAL, after saying what is wrong with it. */
LT_STATUS lt_filter_add(struct lt_filter *, enum lt_filter_word, const char *expression);
void lt_filter_free(struct lt_filter *);

/* Whether lt_filter_sites would drop anything, so that all names are needed first. */
bool lt_filter_selects(const struct lt_filter *);

/* Drops the sites and resources that --focus and --ignore leave out. Their names must be resolved. */
void lt_filter_sites(const struct lt_filter *, struct lt_model *);

/* Whether --show and --hide let this line of a stack appear. The line's strings come from the symbolizer. */
bool lt_filter_shows(const struct lt_filter *, const struct lt_symbol_line *, const struct lt_dump_module *);

#endif
