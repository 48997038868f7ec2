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
    if (is_guest()) {
        lt_untracked(LT_UNTRACKED_FOREIGN_THREAD);
        return;
    }
    if (!lt_guard_enter(from->sp))
        return;
    struct lt_thread *thread = attach();
    if (thread)
        lt_event_record(thread, kind, address, size, from);
    else
        lt_untracked(LT_UNTRACKED_ARENA_FULL);
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
