#include "preload/children.h"

#include "dump/control.h"
#include "os/proc.h"
#include "os/task.h"

#include <string.h>

/* Where lt_fd_move_high puts the first descriptors of a process: 1008, or lower under a low RLIMIT_NOFILE (which
 * children inherit: most often this process has the parent's). */
enum { USUAL_FIRST = 1024 - 16, USUAL_COUNT = 16 };

bool lt_children_is_one(void) {
    static const char page[] = "/memfd:" LT_CONTROL_NAME " (deleted)";
    const int parent = lt_getppid();
    char target[64];
    for (int fd = USUAL_FIRST; fd < USUAL_FIRST + USUAL_COUNT; fd++)
        if (lt_proc_fd_target(parent, fd, target, sizeof target) && strcmp(target, page) == 0)
            return true;
    return false;
}
