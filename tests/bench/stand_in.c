/* Stands in for the life cycle and the start of the tracker, so that the real hooks can be built without them: into
 * libleaktrack-forward.so (forward.c) and libleaktrack-count.so (count.c). */
#include "preload/life.h"
#include "preload/tick.h"
#include "track/counters.h"
#include "track/misuses.h"
#include "track/picture.h"
#include "track/resource.h"
#include "track/track.h"
#include "unwind/unwind.h"

static char table;

int lt_unwind_init(const struct lt_unwind_options *options) {
    return options->depth ? 0 : -1;
}

void lt_picture_start(void) {}

int lt_track_init(void) {
    return 0;
}

struct lt_thread *lt_thread_attach(void) {
    return (struct lt_thread *)&table;
}

void lt_untracked(enum lt_untracked reason) {
    (void)reason;
}

void lt_tick(int stack_flags) {
    (void)stack_flags;
}

void lt_track_warm_up(uint32_t until) {
    (void)until;
}

bool lt_tick_pending(void) {
    return false;
}

int lt_acquire_sampled(struct lt_thread *thread, enum lt_kind kind, uintptr_t address, uint64_t size,
                       const struct lt_regs *from) {
    return lt_acquire(thread, kind, address, size, from);
}

int lt_stack_flags(struct lt_thread *thread, const struct lt_regs *from) {
    (void)thread, (void)from;
    return 0;
}

/* Nothing but heap blocks is hooked here. */
int lt_resource_acquire(struct lt_thread *thread, enum lt_kind kind, uint64_t size, const struct lt_regs *from,
                        struct lt_holding *holding) {
    (void)thread, (void)kind, (void)size, (void)from, (void)holding;
    return -1;
}

void lt_misuse_record(struct lt_thread *thread, enum lt_misuse_what what, int fd, uint32_t opener,
                      const struct lt_regs *from) {
    (void)thread, (void)what, (void)fd, (void)opener, (void)from;
}

void lt_life_note(const char *text) {
    (void)text;
}
