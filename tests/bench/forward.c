/* A tracker that records nothing. With the real hooks it is the benchmark's side "hooks that only forward" and shows
 * what interposition alone costs. */
#include "track/track.h"

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
