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

/* A thread that runs on the storage of another, whose table it must not touch. */
static bool is_guest(void) {
    return lt_tls.shared && lt_gettid() != lt_tls.tid;
}

/* The calling thread's table, inside the guard: a signal handler in the middle of it must not begin a second one. */
static struct lt_thread *attach(void) {
    struct lt_thread **table = lt_tls.shared ? &lt_tls.thread_of_tid : &lt_tls.thread;
    if (!*table) {
        *table = lt_thread_attach();
        lt_tls.tid = lt_gettid();
    }
    return *table;
}

void lt_event_storage_shared(void) {
    if (lt_tls.shared)
        return;
    lt_tls.tid = lt_gettid();
    lt_tls.thread_of_tid = lt_tls.thread;
    lt_tls.thread = NULL;
    lt_tls.shared = true;
}

/* Whether an acquisition of this kind by the calling thread is to be recorded; what is not is counted. */
static bool is_wanted(enum lt_kind kind) {
    if (lt_tls.own)
        return false;
    if (!lt_event_tracked(kind)) {
        if (lt_state == LT_STATE_STARTING)
            lt_untracked(LT_UNTRACKED_BEFORE_START);
        return false;
    }
    if (lt_tls.paused) {
        lt_untracked(LT_UNTRACKED_PAUSED);
        return false;
    }
    if (is_guest()) {
        lt_untracked(LT_UNTRACKED_FOREIGN_THREAD);
        return false;
    }
    return true;
}

/* The calling thread's table with the guard raised; NULL, and the guard as it was, where the event is not recorded. */
static struct lt_thread *enter(enum lt_kind kind, const struct lt_regs *from) {
    if (!is_wanted(kind) || !lt_guard_enter(from->sp))
        return NULL;
    struct lt_thread *thread = attach();
    if (!thread) {
        lt_untracked(LT_UNTRACKED_ARENA_FULL);
        lt_guard_leave();
    }
    return thread;
}

LT_COLD void lt_event_acquired_aside(enum lt_kind kind, const void *address, size_t size, const struct lt_regs *from) {
    struct lt_thread *thread = enter(kind, from);
    if (!thread)
        return;
    lt_event_record(thread, kind, address, size, from);
    lt_guard_leave();
}

bool lt_event_begin(struct lt_event *event, enum lt_kind kind, uint64_t size, const struct lt_regs *from) {
    event->thread = enter(kind, from);
    if (!event->thread)
        return false;
    event->stack_flags = lt_resource_acquire(event->thread, kind, size, from, &event->holding);
    if (event->stack_flags < 0)
        lt_guard_leave();
    return event->stack_flags >= 0;
}

void lt_event_end(const struct lt_event *event) {
    if (lt_unlikely(++lt_tls.events >= LT_EVENTS_PER_TICK))
        lt_event_tick(event->stack_flags);
    lt_guard_leave();
}

/* A thread that only releases gets its own table too, or all of them would count in one shared word. NULL: it has none.
 */
static struct lt_thread *attach_for_release(void) {
    if (lt_tls.own || lt_tls.guard || is_guest())
        return NULL;
    lt_guard_raise((uintptr_t)__builtin_frame_address(0));
    struct lt_thread *thread = attach();
    lt_guard_leave();
    return thread;
}

struct lt_thread *lt_event_thread(void) {
    return lt_likely(lt_tls.thread) ? lt_tls.thread : attach_for_release();
}

LT_COLD void lt_event_released_aside(enum lt_kind kind, const void *address) {
    if (lt_event_tracked(kind))
        lt_release(attach_for_release(), kind, (uintptr_t)address);
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
