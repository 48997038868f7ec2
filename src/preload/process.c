#include "preload/process.h"

#include "os/memory.h"
#include "os/task.h"

#include <stddef.h>

static int owner;             /* pid */
static volatile int *unwiped; /* 1 until a fork wipes it; NULL where that can't be had */

void lt_process_claim(void) {
    if (!unwiped)
        unwiped = lt_pages_wiped_on_fork(LT_PAGE);
    if (unwiped)
        *unwiped = 1;
    owner = lt_getpid();
}

bool lt_process_is_copy(void) {
    return unwiped && !*unwiped;
}

enum lt_whose lt_process_whose(void) {
    if (lt_getpid() == owner)
        return LT_OWN_MEMORY;
    return unwiped && *unwiped ? LT_PARENTS_MEMORY : LT_COPIED_MEMORY;
}

int lt_process_pid(void) {
    return owner;
}
