/* A small hash table for each of the misuses there are: a row belongs for ever to the pair {call's site, opener's site}
 * that came to it first. */
#include "track/misuses.h"

#include "base/attrs.h"
#include "os/arena.h"
#include "track/thread.h"

#include <errno.h>
#include <stdatomic.h>

enum { WHAT_END = LT_MISUSE_OF_OURS + 1, ROWS_EACH = 64, ROWS = WHAT_END * ROWS_EACH };

struct row {
    _Atomic uint64_t sites; /* call << 32 | opener; 0: free */
    _Atomic uint64_t count; /* 0: in the making */
    _Atomic int last_fd;
};

static struct row *rows; /* those of `what` start at what * ROWS_EACH */
static _Atomic uint64_t without_stack;

int lt_misuses_init(void) {
    rows = lt_arena_alloc(ROWS * sizeof *rows, 64);
    return rows ? 0 : -ENOMEM;
}

/* NULL: the table is full. */
static struct row *row_of(enum lt_misuse_what what, uint64_t sites) {
    const uint64_t start = (sites >> 32) + sites;
    for (unsigned i = 0; i < ROWS_EACH; i++) {
        struct row *row = &rows[what * ROWS_EACH + (start + i) % ROWS_EACH];
        uint64_t here = 0;
        if (atomic_compare_exchange_strong(&row->sites, &here, sites) || here == sites)
            return row;
    }
    return NULL;
}

void lt_misuse_record(struct lt_thread *thread, enum lt_misuse_what what, int fd, uint32_t opener,
                      const struct lt_regs *from) {
    struct lt_stack stack;
    lt_unwind_capture(thread->unwind, from, &stack);
    const struct lt_site *site = lt_stacks_site(&thread->stacks, &stack, LT_KIND_FILE);
    struct row *row = site && rows ? row_of(what, (uint64_t)site->number << 32 | opener) : NULL;
    if (!row) {
        atomic_fetch_add_explicit(&without_stack, 1, memory_order_relaxed);
        return;
    }
    atomic_store_explicit(&row->last_fd, fd, memory_order_relaxed);
    atomic_fetch_add_explicit(&row->count, 1, memory_order_release);
}

bool lt_misuse_row(uint32_t i, struct lt_misuse *misuse) {
    if (i >= ROWS || !rows)
        return false;
    const uint64_t count = atomic_load_explicit(&rows[i].count, memory_order_acquire);
    const uint64_t sites = atomic_load_explicit(&rows[i].sites, memory_order_relaxed);
    *misuse = (struct lt_misuse){
        .what = count ? i / ROWS_EACH : 0,
        .site = (uint32_t)(sites >> 32),
        .opener = (uint32_t)sites,
        .count = count,
        .last_fd = atomic_load_explicit(&rows[i].last_fd, memory_order_relaxed),
    };
    return true;
}

uint64_t lt_misuses_without_stack(void) {
    return atomic_load_explicit(&without_stack, memory_order_relaxed);
}

void lt_misuses_forked(void) {
    for (unsigned i = 0; rows && i < ROWS; i++)
        if (atomic_load_explicit(&rows[i].sites, memory_order_relaxed))
            rows[i] = (struct row){0};
    atomic_store_explicit(&without_stack, 0, memory_order_relaxed);
}
