/* The tracker: what the process still holds, and who took it. The door for hooks.
 *
 *   thread.h      the per-thread table: call-stack trie, sites, counters; registry and adoption of dead threads' tables
 *   sampler.h     LEAKTRACK_SAMPLE: which blocks are recorded, and what they stand for
 *   live_index.h  address -> {size, node, birth} of every live block
 *   counters.h    events that could not be recorded, by reason
 *   snapshot.h    all of it into a dump
 *
 * ORDER RULES. A release is recorded *before* the real release, an acquire *after* the real acquire: an address belongs
 * to one block at a time, so nobody else can touch its entry in between. A reallocation marks its entry MOVING before
 * the real call: failure restores it in place, success frees it and records a new acquire (one release and one acquire
 * counted).
 *
 * HOT PATH. lt_acquire and lt_release: no malloc, no stdio, no lock, no system call but arena growth and the first
 * sight of a stack; errno untouched; less than 1 KiB of stack. Cost budget: docs/design, measured by the benchmark.
 *
 * Signals. A handler that enters a hook while the interrupted thread is inside the tracker finds the guard up (see
 * preload/guard.h): its acquires are counted untracked, its releases go through lt_release, which needs no guard. */
#ifndef LT_TRACK_TRACK_H
#define LT_TRACK_TRACK_H

#include "base/kind.h"
#include "base/status.h"
#include "unwind/unwind.h"

#include <stdbool.h>
#include <stdint.h>

struct lt_thread;

/* Reserves the tables in the arena. After lt_arena_init and lt_unwind_init, before the first event. */
LT_STATUS lt_track_init(void);

/* The calling thread's table: makes or adopts one on first use. NULL when the arena is full (count it). The caller
 * keeps the pointer in its thread-local storage; it stays valid for the thread's life. */
struct lt_thread *lt_thread_attach(void);

/* Records that `address` is a live block of `size` bytes since now, acquired by the call stack that starts at `from`.
 * Guarded by the caller: never entered twice by one thread at the same time. If the address is still recorded, the old
 * entry is replaced and a *missed release* counted. Returns the flags of the captured stack (enum lt_stack_flag), or a
 * negative errno when the event could not be recorded (it has been counted then). */
int lt_acquire(struct lt_thread *, enum lt_kind, uintptr_t address, uint64_t size, const struct lt_regs *from);

/* The same for a block that was sampled (sampler.h): while sampling, no other heap block is given to the tracker. */
int lt_acquire_sampled(struct lt_thread *, enum lt_kind, uintptr_t address, uint64_t size, const struct lt_regs *from);

/* Captures a stack for its flags only, as lt_acquire returns them. Guarded by the caller likewise. */
int lt_stack_flags(struct lt_thread *, const struct lt_regs *from);

/* Records the release of the block at `address`. Needs no guard: one compare-and-swap or store on the entry. `thread`
 * may be NULL (then the release is counted in a shared counter). Returns whether an entry was there; an unknown address
 * (foreign, or from before start-up) is left alone. */
bool lt_release(struct lt_thread *, enum lt_kind, uintptr_t address);

/* A reallocation in progress. begin: marks the entry of `address`, if any, MOVING (a snapshot counts it live). Then
 * exactly one of cancel (the real call failed: the entry is live again, as it was) and commit (it succeeded: the entry
 * is released; the caller records the new block by lt_acquire). Needs no guard. */
struct lt_move {
    uint32_t *entry; /* NULL: the address was not recorded */
    uintptr_t address;
};
struct lt_move lt_move_begin(enum lt_kind, uintptr_t address);
void lt_move_cancel(const struct lt_move *);
void lt_move_commit(struct lt_thread *, enum lt_kind, const struct lt_move *);

/* Takes the block out of all reports: it stays recorded until its release, but is not counted live. */
void lt_ignore(enum lt_kind, uintptr_t address);

/* Live blocks and bytes of a kind, summed over all threads' counters; exact at a standstill. */
struct lt_totals {
    uint64_t acquired_count, acquired_bytes, released_count, released_bytes;
};
void lt_totals(enum lt_kind, struct lt_totals *);

/* In a forked child, before its first event there: everything recorded so far becomes *inherited* (told apart by the
 * epoch of its nodes), the counters start from zero, all tables but the caller's become adoptable. */
void lt_track_forked(void);

/* LEAKTRACK_AFTER: what is acquired before `until` (lt_clock_cs) belongs to the warm-up (LT_SITE_WARMUP). Before the
 * first event. It costs the hot path nothing: a site is marked when it is made, and at the end the unload epoch rises,
 * from which on every call stack makes a new one. lt_track_warming_up ends it when its time has come; it says whether
 * it goes on. Any thread. */
void lt_track_warm_up(uint32_t until);
bool lt_track_warming_up(uint64_t now);

/* Number of acquires since start, or since lt_track_forked. */
uint64_t lt_own_acquires(void);

#endif
