/* The hooks after which the library's reservation of address space may be in the program's way: it shrinks then. */
#include "os/arena.h"
#include "os/task.h"
#include "preload/hooks.h"
#include "preload/life.h"
#include "preload/process.h"
#include "preload/real.h"

#include <asm/resource.h> /* not <sys/resource.h>: there the functions take an enum */

/* A vfork child's limits are its own, the memory is the parent's. */
static void fit(bool locking) {
    if (lt_state == LT_STATE_ON && lt_process_whose() == LT_OWN_MEMORY)
        lt_arena_fit(locking);
}

static int limited(int result, int resource) {
    if (result == 0 && (resource == RLIMIT_AS || resource == RLIMIT_DATA))
        fit(false);
    return result;
}

LT_EXPORT int setrlimit(int resource, const struct rlimit *limit) {
    return limited(LT_REAL(setrlimit)(resource, limit), resource);
}

LT_EXPORT int setrlimit64(int resource, const struct rlimit64 *limit) {
    return limited(LT_REAL(setrlimit64)(resource, limit), resource);
}

/* For another process nothing is the matter here, and to fit once too often does no harm. */
LT_EXPORT int prlimit(pid_t pid, int resource, const struct rlimit *limit, struct rlimit *old) {
    return limited(LT_REAL(prlimit)(pid, resource, limit, old), resource);
}

LT_EXPORT int prlimit64(pid_t pid, int resource, const struct rlimit64 *limit, struct rlimit64 *old) {
    return limited(LT_REAL(prlimit64)(pid, resource, limit, old), resource);
}

LT_EXPORT int mlockall(int flags) {
    fit(true);
    return LT_REAL(mlockall)(flags);
}
