/* The thread's door to the tracker, and the guard that keeps it from being entered twice.
 *
 * The guard covers our own code only, never a real call: strdup's and fopen's inner malloc must be seen. It stores the
 * stack pointer, so that a longjmp or a cancellation out of our code makes it stale: a later entry with a higher stack
 * pointer, not on the alternate signal stack, finds the guarded frame gone and takes the guard over.
 *
 * While it is up, a nested *acquire* (a signal handler's) is counted untracked; a nested *release* still clears its
 * entry, since lt_release needs no guard. While `own` is set, the thread works for the library itself (the snapshot
 * helper, pthread_create called by us): its acquires are nobody's and are not counted at all; its releases clear what
 * they find. */
#ifndef LT_PRELOAD_GUARD_H
#define LT_PRELOAD_GUARD_H

#include "base/attrs.h"
#include "track/track.h"

#include <stdbool.h>
#include <stdint.h>

enum { LT_EVENTS_PER_TICK = 32 }; /* a thread reads the clock at its first event of the heap, and every 32nd */

struct lt_tls {
    struct lt_thread *thread; /* `table` for heap events; NULL while sampling, and where the heap is not tracked */
    uintptr_t guard;          /* stack pointer of the guarded frame, 0 = down */
    uint32_t events;          /* since the last tick */
    uint32_t ticked_cs;       /* when an event of a descriptor, a thread or a timer ticked last */
    union {
        struct {
            uint16_t paused; /* depth of leaktrack_pause() */
            bool own;        /* the library's own work */
            bool shared;     /* with a thread that has no storage of its own: only the one of `tid` uses the table */
        };
        uint32_t aside; /* all of these at once: not zero = acquires are not recorded */
    };
    int tid; /* of the thread that the table was made for */
    union {
        struct {
            bool vfork_child;     /* maybe running in a vfork child, in the parent's memory: see life.h */
            bool own_descriptors; /* what it opens and closes is not in the program's table (descriptor.h) */
        };
        uint16_t elsewhere; /* either of them */
    };
    struct lt_thread *table;    /* NULL until the first event */
    struct lt_thread *sampling; /* `table` for heap events while sampling */
};
extern LT_TLS struct lt_tls lt_tls;

/* The thread's next acquire ticks, whatever its kind. */
static LT_ALWAYS_INLINE void lt_tick_at_next(void) {
    lt_tls.events = LT_EVENTS_PER_TICK - 1;
    lt_tls.ticked_cs = UINT32_MAX;
}

/* Raises the guard, which must be down; `sp` is the stack pointer of the guarded frame, or its CFA. */
static LT_ALWAYS_INLINE void lt_guard_raise(uintptr_t sp) {
    lt_tls.guard = sp;
    __asm__ volatile("" ::: "memory"); /* a signal handler must see it before anything else happens */
}

/* Raises the guard unless it is up and not stale: then false, and an event has been counted untracked. */
bool lt_guard_enter_slow(uintptr_t sp);
static LT_ALWAYS_INLINE bool lt_guard_enter(uintptr_t sp) {
    if (lt_unlikely(lt_tls.guard != 0))
        return lt_guard_enter_slow(sp);
    lt_guard_raise(sp);
    return true;
}

static LT_ALWAYS_INLINE void lt_guard_leave(void) {
    __asm__ volatile("" ::: "memory");
    lt_tls.guard = 0;
}

#endif
