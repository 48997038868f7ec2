/* What include/leaktrack.h promises. The declarations there are weak for the programs that use them; the definitions
 * are not. */
#define LEAKTRACK_API __attribute__((visibility("default")))
#include "leaktrack.h"

#include "preload/event.h"
#include "preload/hooks.h"
#include "preload/life.h"
#include "preload/options.h"
#include "track/counters.h"

#include <errno.h>

#define X(name, number, word)                                                                                          \
    _Static_assert((int)LEAKTRACK_##name == (int)LT_KIND_##name, "the public numbers are those of the dump");
LT_KINDS(X)
#undef X

static bool is_heap(enum leaktrack_kind kind) {
    return kind == LEAKTRACK_HEAP;
}

const char *leaktrack_version(void) {
    return LEAKTRACK_VERSION;
}

int leaktrack_dump(unsigned flags) {
    if (flags)
        return -EINVAL;
    if (!lt_start())
        return -EAGAIN;
    int saved = errno;
    int status = lt_snapshot_now(LT_TRIGGER_CALL);
    errno = saved;
    return status;
}

void leaktrack_pause(void) {
    if (lt_tls.paused < UINT16_MAX)
        lt_tls.paused++;
}

void leaktrack_resume(void) {
    if (lt_tls.paused > 0)
        lt_tls.paused--;
}

void leaktrack_acquire(enum leaktrack_kind kind, const void *handle, size_t size) {
    const struct lt_regs caller = LT_CALLER;
    if (is_heap(kind))
        lt_event_acquired((enum lt_kind)kind, handle, size, &caller);
    else
        lt_untracked(LT_UNTRACKED_KIND_OFF);
}

void leaktrack_release(enum leaktrack_kind kind, const void *handle) {
    if (is_heap(kind))
        lt_event_released((enum lt_kind)kind, handle);
}

void leaktrack_ignore(enum leaktrack_kind kind, const void *handle) {
    if (is_heap(kind) && lt_event_tracked((enum lt_kind)kind))
        lt_ignore((enum lt_kind)kind, (uintptr_t)handle);
}

int64_t leaktrack_live_count(enum leaktrack_kind kind) {
    struct lt_totals totals;
    if ((unsigned)kind - 1 >= LT_KIND_END - 1 || !lt_event_tracked((enum lt_kind)kind))
        return -1;
    lt_totals((enum lt_kind)kind, &totals);
    return (int64_t)(totals.acquired_count - totals.released_count);
}
