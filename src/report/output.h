/* Where the report goes. A file is written beside its final name and renamed when it is whole: a full disk or an
 * interruption leaves the old file, or none. Devices and pipes are written directly. */
#ifndef LT_REPORT_OUTPUT_H
#define LT_REPORT_OUTPUT_H

#include "base/status.h"

#include <stdio.h>

struct lt_output {
    const char *path; /* as given; NULL or "-": stdout */
    char *target;     /* the file behind `path`, symbolic links followed; NULL: written directly */
    char *temporary;
    FILE *stream;
};

/* Opens it; 0, or a negative errno after saying why. */
LT_STATUS lt_output_open(struct lt_output *, const char *path);

/* Finishes it; 0, or a negative errno after saying why and removing what was written. A reader that went away (EPIPE)
 * is no failure. */
LT_STATUS lt_output_close(struct lt_output *);

#endif
