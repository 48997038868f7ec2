/* Brings a dump into memory. The file may be written to at that very moment. */
#ifndef LT_REPORT_LOAD_H
#define LT_REPORT_LOAD_H

#include "base/status.h"
#include "dump/reader.h"

#include <stdbool.h>

struct lt_loaded {
    const char *path;
    void *bytes;
    size_t size;
    struct lt_dump dump;
};

/* Reads and parses the file at `path` ("-" is stdin), which must live as long as *loaded. Where the end is cut or
 * damaged and its process is alive and writing, reads it again, for at most half a second. Returns 0,
 * or a negative errno after saying in one line what is wrong with which file and what to do; `asked`: the process has
 * been asked for a snapshot, in vain or not, so that this is no advice any more. */
LT_STATUS lt_load(struct lt_loaded *, const char *path, bool asked);
void lt_unload(struct lt_loaded *); /* a zeroed one is fine */

/* The snapshot with that index, one of the two below, or, negative, counted from the last: -1 is the one before it.
 * NULL after saying which there are. */
#define LT_LAST_SNAPSHOT  INT64_C(0)
#define LT_FIRST_SNAPSHOT INT64_MIN
const struct lt_dump_snapshot *lt_find_snapshot(const struct lt_loaded *, int64_t index);

#endif
