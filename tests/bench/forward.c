/* Stands in for the tracker and the life cycle in libleaktrack-forward.so: the real hooks, recording nothing. It is the
 * benchmark's side "hooks that only forward" and shows what interposition alone costs. */
#include "preload/life.h"
#include "track/counters.h"
#include "track/track.h"
#include "unwind/unwind.h"

static char table;

int lt_unwind_init(const struct lt_unwind_options *options) {
    return options->depth ? 0 : -1;
}

int lt_track_init(void) {
    return 0;
}

struct lt_thread *lt_thread_attach(void) {
    return (struct lt_thread *)&table;
}

int lt_acquire(struct lt_thread *thread, enum lt_kind kind, uintptr_t address, uint64_t size,
               const struct lt_regs *from) {
    (void)thread, (void)kind, (void)address, (void)size, (void)from;
    return 0;
}

bool lt_release(struct lt_thread *thread, enum lt_kind kind, uintptr_t address) {
    (void)thread, (void)kind, (void)address;
    return false;
}

struct lt_move lt_move_begin(enum lt_kind kind, uintptr_t address) {
    (void)kind, (void)address;
    return (struct lt_move){0};
}

void lt_move_cancel(const struct lt_move *move) {
    (void)move;
}

void lt_move_commit(struct lt_thread *thread, enum lt_kind kind, const struct lt_move *move) {
    (void)thread, (void)kind, (void)move;
}

void lt_untracked(enum lt_untracked reason) {
    (void)reason;
}

void lt_tick(int stack_flags) {
    (void)stack_flags;
}

void lt_life_note(const char *text) {
    (void)text;
}
