/* The way of an event from a hook into the tracker. HOT PATH: everything usual is inlined here, everything rare is
 * behind one lt_unlikely and decided in event.c: the first event of a process or of a thread, tracking off, a pause,
 * the library's own work, nesting in a signal handler, the tick. errno is never touched.
 *
 * Order (track.h): acquired after the real call, released before it, a move around it. A NULL address is no event. */
#ifndef LT_PRELOAD_EVENT_H
#define LT_PRELOAD_EVENT_H

#include "base/attrs.h"
#include "preload/guard.h"
#include "track/misuses.h"
#include "track/resource.h"
#include "track/track.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whether blocks of this kind are recorded; the first event of all starts the library. */
bool lt_event_tracked(enum lt_kind);

void lt_event_acquired_aside(enum lt_kind, const void *address, size_t size, const struct lt_regs *from);
void lt_event_tick(int stack_flags);

/* Records inside the raised guard, with a table. */
static LT_ALWAYS_INLINE void lt_event_record(struct lt_thread *thread, enum lt_kind kind, const void *address,
                                             size_t size, const struct lt_regs *from) {
    int stack_flags = lt_acquire(thread, kind, (uintptr_t)address, size, from);
    if (lt_unlikely(++lt_tls.events >= LT_EVENTS_PER_TICK))
        lt_event_tick(stack_flags);
}

/* `address` was acquired by the stack that starts at `from`. */
static LT_ALWAYS_INLINE void lt_event_acquired(enum lt_kind kind, const void *address, size_t size,
                                               const struct lt_regs *from) {
    if (lt_unlikely(!address))
        return;
    if (lt_unlikely(!lt_tls.thread || lt_tls.guard || lt_tls.aside)) {
        lt_event_acquired_aside(kind, address, size, from);
        return;
    }
    lt_guard_raise(from->sp);
    lt_event_record(lt_tls.thread, kind, address, size, from);
    lt_guard_leave();
}

void lt_event_released_aside(enum lt_kind, const void *address);

/* `address` is about to be released. */
static LT_ALWAYS_INLINE void lt_event_released(enum lt_kind kind, const void *address) {
    if (lt_unlikely(!address))
        return;
    if (lt_unlikely(!lt_tls.thread))
        lt_event_released_aside(kind, address);
    else
        lt_release(lt_tls.thread, kind, (uintptr_t)address);
}

/* `address` is about to be resized; afterwards lt_event_move_end says whether it is gone or still there as it was. */
struct lt_move lt_event_move_aside(enum lt_kind, const void *address);

static LT_ALWAYS_INLINE struct lt_move lt_event_move_begin(enum lt_kind kind, const void *address) {
    if (lt_unlikely(!address))
        return (struct lt_move){0};
    if (lt_unlikely(!lt_tls.thread))
        return lt_event_move_aside(kind, address);
    return lt_move_begin(kind, (uintptr_t)address);
}

void lt_event_moved_back(enum lt_kind, const struct lt_move *);

static LT_ALWAYS_INLINE void lt_event_move_end(enum lt_kind kind, const struct lt_move *move, bool gone) {
    if (!move->entry)
        return;
    if (lt_likely(gone))
        lt_move_commit(lt_tls.thread, kind, move);
    else
        lt_event_moved_back(kind, move);
}

/* An acquisition of anything but a heap block, after the real call. lt_event_begin counts it and gives what the kind's
 * table has to remember; then, and only if it returned true, the caller puts it there and calls lt_event_end, which
 * lets a snapshot run that has become due. In between the guard is up.
 *
 *     struct lt_event event;
 *     if (lt_event_begin(&event, LT_KIND_FILE, 0, &caller)) {
 *         lt_descriptor_put(fd, ...event.holding...);
 *         lt_event_end(&event);
 *     } */
struct lt_event {
    struct lt_thread *thread;
    struct lt_holding holding;
    int stack_flags;
};
bool lt_event_begin(struct lt_event *, enum lt_kind, uint64_t size, const struct lt_regs *from);
void lt_event_end(const struct lt_event *);

/* The same where the program may hold its allocator's locks (mmap): a helper thread could not be made. A snapshot that
 * is due is left to the thread's next event of another kind; where none comes for long, it runs in this thread. */
void lt_event_end_under_locks(const struct lt_event *);

/* A release of what was not the caller's to release (track/misuses.h). `opener` is the record of who had acquired it.
 */
struct lt_descriptor;
void lt_event_misuse(enum lt_misuse_what, int fd, const struct lt_descriptor *opener, const struct lt_regs *from);

/* The calling thread's table for a release (lt_resource_release), made if need be; NULL: it has none. */
struct lt_thread *lt_event_thread(void);

/* From now on another thread uses the calling thread's thread-local storage as its own: a child of clone(CLONE_VM)
 * without CLONE_SETTLS. Its acquires are counted untracked, and every event of the two asks the kernel which of them it
 * is. */
void lt_event_storage_shared(void);

#endif
