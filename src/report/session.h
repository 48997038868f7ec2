/* One run of leaktrack-report:
 *
 *     request.h   first a new snapshot, from the running process, where asked for
 *     load.h → model.h → filter.h → runtime.h → diff.h → table.h → policy.h → render.h → output.h
 *
 * The order matters for speed: names are found as late and as few as possible, because that is what takes time. */
#ifndef LT_REPORT_SESSION_H
#define LT_REPORT_SESSION_H

#include "report/options.h"

/* Does what the options say; returns the exit code (LEAKTRACK_EXIT_...). Fills in what the policies found. */
int lt_session_run(struct lt_options *);

#endif
