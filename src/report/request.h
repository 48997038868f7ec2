/* --request: asks the process behind a dump for a snapshot, through its control page (dump/control.h). */
#ifndef LT_REPORT_REQUEST_H
#define LT_REPORT_REQUEST_H

#include "base/status.h"

/* Returns 0 once a new snapshot is in the file at `dump_path`; else a negative errno after saying why there is none. */
LT_STATUS lt_request_snapshot(const char *dump_path);

#endif
