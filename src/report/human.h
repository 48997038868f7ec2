/* Quantities as people write and read them. Never localised: a dot is a dot. */
#ifndef LT_REPORT_HUMAN_H
#define LT_REPORT_HUMAN_H

#include "base/status.h"

#include <stdint.h>

/* Room for any of the texts below. */
struct lt_human {
    char text[48];
};

/* Room for two of them, and words between. */
struct lt_phrase {
    char text[112];
};

struct lt_human lt_human_size(uint64_t bytes);                 /* "937 B", "12.4 MiB" */
struct lt_human lt_human_size_change(int64_t bytes);           /* "+12.4 MiB", "-937 B", "0 B" */
struct lt_human lt_human_count_change(int64_t count);          /* "+12", "-3", "0" */
struct lt_human lt_human_count(uint64_t, const char *noun);    /* "1 block", "2 blocks" */
struct lt_human lt_human_share(uint64_t part, uint64_t whole); /* "12.3 %"; "100 %" and "0 %" only where exact */
struct lt_human lt_human_duration(uint64_t centiseconds); /* "0.25 s", "12.4 s", "3 min 20 s", "2 h 5 min", "3 d 4 h" */
struct lt_human lt_human_time(uint64_t wall_ns);          /* "2026-11-20 09:31:21 UTC" */

/* "10", "64K", "1.5MiB", "2G" (powers of 1024; "B" may follow); 0, or -EINVAL. */
LT_STATUS lt_parse_size(const char *text, uint64_t *bytes);

/* "90", "90s", "5m" or "5min", "2h", "3d", "1.5h"; 0, or -EINVAL. */
LT_STATUS lt_parse_duration(const char *text, uint64_t *centiseconds);

/* A plain decimal number; 0, or -EINVAL. */
LT_STATUS lt_parse_number(const char *text, uint64_t *number);

#endif
