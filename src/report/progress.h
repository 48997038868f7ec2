/* Says on stderr what is being done when it takes longer than a second: a line that is rewritten and finally erased on
 * a terminal, else one line at first and then one every ten seconds. */
#ifndef LT_REPORT_PROGRESS_H
#define LT_REPORT_PROGRESS_H

#include "report/symbolize.h"

/* Call it as often as you like: what is done now, for a person. */
void lt_progress(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Erases the line; before anything else is written to stderr, and at the end. */
void lt_progress_clear(void);

/* The symbolizer's callbacks. */
void lt_progress_of_symbols(void *unused, const struct lt_symbolizer_progress *);
void lt_warn_of_symbols(void *unused, const char *line);

#endif
