/* The hooks of POSIX timers. */
#include "preload/event.h"
#include "preload/hooks.h"
#include "preload/life.h"
#include "preload/real.h"
#include "track/handles.h"

#include <errno.h>

static int not_here(void) {
    errno = ENOSYS;
    return -1;
}

int timer_create(clockid_t clock, struct sigevent *what, timer_t *timer) {
    const struct lt_regs caller = LT_CALLER;
    if (!LT_REAL(timer_create))
        return not_here();
    int result = LT_REAL(timer_create)(clock, what, timer);
    struct lt_event event;
    if (result == 0 && lt_event_begin(&event, LT_KIND_TIMER, 0, &caller)) {
        const struct lt_handle handle = {.handle = (uintptr_t)*timer, .holding = event.holding, .kind = LT_KIND_TIMER};
        lt_handle_put(&handle);
        lt_event_end(&event);
    }
    return result;
}

int timer_delete(timer_t timer) {
    struct lt_handle taken;
    if (!LT_REAL(timer_delete))
        return not_here();
    const bool known = lt_event_tracked(LT_KIND_TIMER) && lt_handle_take(LT_KIND_TIMER, (uintptr_t)timer, &taken);
    if (known)
        lt_resource_release(lt_event_thread(), &taken.holding, 1, 0);
    int result = LT_REAL(timer_delete)(timer);
    if (known && result != 0) {
        lt_resource_keep(lt_event_thread(), &taken.holding, 1, 0);
        lt_handle_put(&taken);
    }
    return result;
}
