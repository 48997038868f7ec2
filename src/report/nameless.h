/* Why frames have no names, or no source lines: whose symbols would have to be installed. */
#ifndef LT_REPORT_NAMELESS_H
#define LT_REPORT_NAMELESS_H

#include "report/render.h"
#include "report/symbolize.h"

/* Of the modules in the listed call stacks whose files were found but have no name for a frame, or one without file and
 * line: "app, libx.so.1 and 2 more", alive as long as the pool. NULL where there is none. The run-time libraries don't
 * count, nor are those without names told again. */
void lt_find_nameless(struct lt_report *, const struct lt_symbolizer *, struct lt_pool *);

#endif
