/* The threads of this process as the kernel lists them. */
#ifndef LT_OS_TASK_LIST_H
#define LT_OS_TASK_LIST_H

#include "base/status.h"

#include <stdbool.h>
#include <stddef.h>

struct lt_task {
    int tid;
    char state;       /* 'R' running, 'S' sleeping, 'Z' a main thread that has left ...; '?' where it can't be read */
    const char *name; /* at most 15 bytes, "" where it can't be read; lives during the callback */
};

enum { LT_TASK_LIST_BUFFER = 4096 }; /* least size of the buffer */

/* Calls `see` for each thread, the main thread first, until it returns false. One that starts or ends meanwhile is
 * listed or not. Takes two descriptors of the calling thread's table, moved away from the low numbers. -ENOENT without
 * /proc. */
LT_STATUS lt_task_list(char *buffer, size_t size, bool (*see)(void *context, const struct lt_task *), void *context);

#endif
