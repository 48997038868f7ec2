/* How many of each thing this process may have. */
#ifndef LT_OS_LIMITS_H
#define LT_OS_LIMITS_H

#include <stdint.h>

/* UINT64_MAX: without limit; 0: not known (no /proc). */
struct lt_limits {
    uint64_t open_files, open_files_hard; /* RLIMIT_NOFILE */
    uint64_t mappings;                    /* vm.max_map_count */
    uint64_t threads;                     /* the least of RLIMIT_NPROC (which counts all of the user's processes) and
                                           * kernel.threads-max (of the machine) */
};
void lt_limits(struct lt_limits *);

#endif
