#include "preload/event.h"

#include "os/task.h"
#include "preload/life.h"
#include "preload/options.h"
#include "preload/tick.h"
#include "track/counters.h"
#include "track/descriptors.h"
#include "track/thread.h"

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

/* Heap events look for the table where they find it only if every block is to be recorded: so neither sampling nor
 * LEAKTRACK_KINDS costs anything where it is not used. */
static LT_COLD void make_table(void) {
    lt_tls.table = lt_thread_attach();
    lt_tls.tid = lt_gettid();
    lt_tick_at_next(); /* a short thread may have few events more */
    if (lt_tls.shared || !(lt_options.kinds >> LT_KIND_HEAP & 1))
        return;
    *(lt_sampling_mean ? &lt_tls.sampling : &lt_tls.thread) = lt_tls.table;
}

/* The calling thread's table, inside the guard: a signal handler in the middle of it must not begin a second one. */
static struct lt_thread *attach(void) {
    if (lt_unlikely(!lt_tls.table))
        make_table();
    return lt_tls.table;
}

void lt_event_storage_shared(void) {
    if (lt_tls.shared)
        return;
    lt_tls.tid = lt_gettid();
    lt_tls.thread = lt_tls.sampling = NULL;
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
static LT_COLD struct lt_thread *enter(enum lt_kind kind, const struct lt_regs *from) {
    if (!is_wanted(kind) || !lt_guard_enter(from->sp))
        return NULL;
    struct lt_thread *thread = attach();
    if (!thread) {
        lt_untracked(LT_UNTRACKED_ARENA_FULL);
        lt_guard_leave();
    }
    return thread;
}

/* The count has come to a stop: the block is recorded if it is sampled. One that is not has no stack to tell whether a
 * snapshot can begin here; it is taken only where one is due. In the guard. */
static LT_COLD void at_stop(struct lt_thread *thread, enum lt_kind kind, const void *address, size_t size,
                            const struct lt_regs *from) {
    const bool is_due = lt_tick_pending(); /* looked at first: the warm-up may end by it */
    if (lt_sampler_stop(&thread->sampler)) {
        const int stack_flags = lt_acquire_sampled(thread, kind, (uintptr_t)address, size, from);
        if (stack_flags >= 0)
            lt_filter_add((uintptr_t)address);
        lt_event_tick(stack_flags);
    } else if (is_due) {
        lt_event_tick(lt_stack_flags(thread, from));
    }
}

static LT_COLD void acquired_slowly(enum lt_kind kind, const void *address, size_t size, const struct lt_regs *from,
                                    bool is_counted) {
    struct lt_thread *thread = enter(kind, from);
    if (!thread)
        return;
    if (!lt_is_sampled(kind))
        lt_event_record(thread, kind, address, size, from);
    else if (is_counted || lt_sampler_count(&thread->sampler, size))
        at_stop(thread, kind, address, size, from);
    lt_guard_leave();
}

/* HOT PATH of sampling: a block that is not sampled costs its count. */
void lt_event_acquired_aside(enum lt_kind kind, const void *address, size_t size, const struct lt_regs *from) {
    struct lt_thread *thread = lt_tls.sampling;
    const bool counts = thread && !lt_tls.aside && kind == LT_KIND_HEAP;
    if (lt_likely(counts && !lt_sampler_count(&thread->sampler, size)))
        return;
    acquired_slowly(kind, address, size, from, counts);
}

bool lt_event_begin(struct lt_event *event, enum lt_kind kind, uint64_t size, const struct lt_regs *from) {
    event->thread = lt_tls.table;
    if (lt_likely(event->thread && !lt_tls.guard && !lt_tls.aside && lt_options.kinds >> kind & 1))
        lt_guard_raise(from->sp);
    else if (!(event->thread = enter(kind, from)))
        return false;
    event->stack_flags = lt_resource_acquire(event->thread, kind, size, from, &event->holding);
    if (event->stack_flags < 0)
        lt_guard_leave();
    return event->stack_flags >= 0;
}

/* Each of these events has looked at the clock, since it was born: a server may have few others. What a tick looks for
 * does not come twice in a hundredth of a second. */
void lt_event_end(const struct lt_event *event) {
    if (lt_unlikely(event->holding.birth != lt_tls.ticked_cs)) {
        lt_tls.ticked_cs = event->holding.birth;
        lt_event_tick(event->stack_flags);
    }
    lt_guard_leave();
}

void lt_event_misuse(enum lt_misuse_what what, int fd, const struct lt_descriptor *opener, const struct lt_regs *from) {
    struct lt_thread *thread = enter(opener->kind, from);
    if (!thread)
        return;
    lt_misuse_record(thread, what, fd, opener->holding.site, from);
    lt_guard_leave();
}

enum { LONG_WITHOUT_TICK = 4 * LT_EVENTS_PER_TICK };

void lt_event_end_under_locks(const struct lt_event *event) {
    if (lt_unlikely(++lt_tls.events >= LONG_WITHOUT_TICK) && !(event->stack_flags & LT_STACK_SIGNAL))
        lt_event_tick(-1); /* as if nobody knew what is on the stack: in this thread */
    lt_guard_leave();
}

/* A thread that only releases gets its own table too, or all of them would count in one shared word. NULL: it has none.
 */
static struct lt_thread *attach_for_release(void) {
    if (lt_tls.own || lt_tls.guard || is_guest() || lt_state != LT_STATE_ON)
        return NULL;
    lt_guard_raise((uintptr_t)__builtin_frame_address(0));
    struct lt_thread *thread = attach();
    lt_guard_leave();
    return thread;
}

struct lt_thread *lt_event_thread(void) {
    return lt_likely(lt_tls.table && !lt_tls.shared) ? lt_tls.table : attach_for_release();
}

static LT_COLD void released_slowly(enum lt_kind kind, const void *address) {
    if (lt_event_tracked(kind) && lt_release(attach_for_release(), kind, (uintptr_t)address) && lt_is_sampled(kind))
        lt_filter_remove((uintptr_t)address);
}

/* HOT PATH of sampling: the block was surely not sampled. */
static LT_ALWAYS_INLINE bool is_unsampled(enum lt_kind kind, const void *address) {
    return lt_tls.sampling && kind == LT_KIND_HEAP && !lt_maybe_sampled((uintptr_t)address);
}

void lt_event_released_aside(enum lt_kind kind, const void *address) {
    if (!lt_likely(is_unsampled(kind, address)))
        released_slowly(kind, address);
}

static LT_COLD struct lt_move moved_slowly(enum lt_kind kind, const void *address) {
    if (!lt_event_tracked(kind))
        return (struct lt_move){0};
    attach_for_release();
    const struct lt_move move = lt_move_begin(kind, (uintptr_t)address);
    if (move.entry && lt_is_sampled(kind))
        lt_filter_remove((uintptr_t)address);
    return move;
}

struct lt_move lt_event_move_aside(enum lt_kind kind, const void *address) {
    if (lt_likely(is_unsampled(kind, address)))
        return (struct lt_move){0};
    return moved_slowly(kind, address);
}

LT_COLD void lt_event_moved_back(enum lt_kind kind, const struct lt_move *move) {
    lt_move_cancel(move);
    if (lt_is_sampled(kind))
        lt_filter_add(move->address);
}

LT_COLD void lt_event_tick(int stack_flags) {
    int saved = errno;
    lt_tls.events = 0;
    lt_tick(stack_flags);
    errno = saved;
}
