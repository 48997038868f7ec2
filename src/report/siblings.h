/* Dumps beside the one that is reported: where LEAKTRACK_OUTPUT names one file for all, the library appends the pid of
 * each child process, and a number for each image that exec has replaced. Who ran `timeout ./app` holds the dump of
 * timeout, and looks for that of app. */
#ifndef LT_REPORT_SIBLINGS_H
#define LT_REPORT_SIBLINGS_H

#include "report/pool.h"

#include <stdint.h>

/* Those written since the process started, and not in an earlier run: "app.bin.4712, app.bin.1 and 3 more", the newest
 * first, alive as long as the pool; NULL where there is none. */
const char *lt_siblings(const char *dump_path, uint64_t start_wall_ns, struct lt_pool *);

#endif
