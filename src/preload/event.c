#include "preload/event.h"

#include "os/task.h"
#include "preload/life.h"
#include "preload/options.h"
#include "track/counters.h"

#include <errno.h>

bool lt_event_tracked(enum lt_kind kind) {
    if (lt_unlikely(lt_state != LT_STATE_ON) && !lt_start())
        return false;
    return lt_options.kinds >> kind & 1;
}

/* The calling thread's table, inside the guard: a signal handler in the middle of it must not begin a second one. */
static struct lt_thread *attach(void) {
    if (!lt_tls.thread) {
        lt_tls.thread = lt_thread_attach();
        lt_tls.tid = lt_gettid();
    }
    return lt_tls.thread;
}

LT_COLD void lt_event_acquired_aside(enum lt_kind kind, const void *address, size_t size, const struct lt_regs *from) {
    if (lt_tls.own)
        return;
    if (!lt_event_tracked(kind)) {
        if (lt_state == LT_STATE_STARTING)
            lt_untracked(LT_UNTRACKED_BEFORE_START);
        return;
    }
    if (lt_tls.paused) {
        lt_untracked(LT_UNTRACKED_PAUSED);
        return;
    }
    if (!lt_guard_enter(from->sp))
        return;
    if (attach())
        lt_event_record(kind, address, size, from);
    else
        lt_untracked(LT_UNTRACKED_ARENA_FULL);
    lt_guard_leave();
}

/* A thread that only releases gets its own table too, or all of them would count in one shared word. */
static void attach_for_release(void) {
    if (lt_tls.own || lt_tls.guard)
        return;
    lt_guard_raise((uintptr_t)__builtin_frame_address(0));
    attach();
    lt_guard_leave();
}

LT_COLD void lt_event_released_aside(enum lt_kind kind, const void *address) {
    if (!lt_event_tracked(kind))
        return;
    attach_for_release();
    lt_release(lt_tls.thread, kind, (uintptr_t)address);
}

LT_COLD struct lt_move lt_event_move_aside(enum lt_kind kind, const void *address) {
    if (!lt_event_tracked(kind))
        return (struct lt_move){0};
    attach_for_release();
    return lt_move_begin(kind, (uintptr_t)address);
}

LT_COLD void lt_event_tick(int stack_flags) {
    int saved = errno;
    lt_tls.events = 0;
    lt_tick(stack_flags);
    errno = saved;
}
