/* The dump's path, made from LEAKTRACK_OUTPUT. Pure. */
#ifndef LT_PRELOAD_OUTPUT_NAME_H
#define LT_PRELOAD_OUTPUT_NAME_H

#include "base/fmt.h"

#include <stdbool.h>
#include <stdint.h>

/* What the letters of a pattern stand for. No string is NULL. */
struct lt_output_words {
    const char *directory; /* what a relative pattern starts from: the working directory at start, absolute */
    const char *program;   /* %e: last part of the executable's path */
    const char *host;      /* %h */
    int pid;               /* %p */
    uint64_t start_wall_s; /* %t: seconds since the epoch, written as 20261231T235959Z */
};

/* Whether `pattern` names another file for each process. */
bool lt_output_name_has_pid(const char *pattern);

/* Appends the path that `pattern` stands for: made absolute, %p %e %h %t replaced, %% a percent sign; any other % stays
 * as it is. A '/' inside a word becomes '_', so that no word leads into another directory. */
void lt_output_name(struct lt_fmt *, const char *pattern, const struct lt_output_words *);

#endif
