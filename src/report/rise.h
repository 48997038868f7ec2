/* Whether the number of open files rises from snapshot to snapshot, and who makes it rise: the leak before it kills. */
#ifndef LT_REPORT_RISE_H
#define LT_REPORT_RISE_H

#include "report/model.h"

struct lt_rise {
    size_t steps;           /* snapshots in a row with more open files than the one before, up to the reported one */
    uint64_t from, to;      /* open files before the first of them, and now */
    uint64_t span;          /* centiseconds */
    uint64_t time_to_limit; /* centiseconds at this pace; LT_NO_NUMBER: no limit, or years */
    struct lt_dump_holder holder; /* the site of a descriptor kind that gained most */
    uint64_t gain;                /* so many; 0: none did */
};

/* false where there is no rise to speak of: fewer than three steps in a row, or fewer than ten open files. */
bool lt_find_rise(const struct lt_dump *, const struct lt_dump_snapshot *, struct lt_rise *);

#endif
