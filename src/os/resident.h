/* What of this process is in memory now, and not only mapped. Works without /proc: -ENOENT and empty results. */
#ifndef LT_OS_RESIDENT_H
#define LT_OS_RESIDENT_H

#include "base/status.h"

#include <stddef.h>
#include <stdint.h>

#define LT_RESIDENT_UNKNOWN UINT64_MAX

/* Of the whole process, as the kernel counts along (/proc/thread-self/status, read through `size` >= 64 bytes at
 * `buffer`); bytes, or LT_RESIDENT_UNKNOWN. */
struct lt_resident {
    uint64_t anon;  /* of no file, and what was written of private mappings of files */
    uint64_t file;  /* of files */
    uint64_t shmem; /* of shared memory and tmpfs */
    uint64_t swap;  /* swapped out */
};
LT_STATUS lt_resident(struct lt_resident *, char *buffer, size_t size);

/* Opens the list of this process's pages: a descriptor, for lt_close, or a negative errno (a process that is not
 * dumpable can't open its own). */
LT_STATUS lt_pages_open(void);

/* Reads the list for [start, end), whole pages, into `words`, one for each: how many are in memory, or a negative
 * errno. Takes the kernel some 30 ns for a page that is there. */
int64_t lt_pages_resident(int fd, uintptr_t start, uintptr_t end, uint64_t *words);

#endif
