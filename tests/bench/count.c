/* A tracker that only counts: how often a program allocates, and how much it holds at its peak. The benchmark runs
 * every workload under it once, untimed: figures per allocation and per live block need a judge that is none of the
 * tools compared. Writes "allocations peak_blocks peak_bytes" to the file that BENCH_COUNT names when the program ends.
 *
 * Bytes are those of malloc_usable_size, of which a release knows as much as an acquire. */
#include "track/track.h"

#include <malloc.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

static atomic_llong allocations, blocks, bytes, peak_blocks, peak_bytes;

static void raise_to(atomic_llong *peak, long long value) {
    long long seen = atomic_load_explicit(peak, memory_order_relaxed);
    while (seen < value &&
           !atomic_compare_exchange_weak_explicit(peak, &seen, value, memory_order_relaxed, memory_order_relaxed))
        ;
}

static void hold(uintptr_t address) {
    long long size = (long long)malloc_usable_size((void *)address);
    raise_to(&peak_blocks, atomic_fetch_add_explicit(&blocks, 1, memory_order_relaxed) + 1);
    raise_to(&peak_bytes, atomic_fetch_add_explicit(&bytes, size, memory_order_relaxed) + size);
}

static void drop(uintptr_t address) {
    atomic_fetch_sub_explicit(&blocks, 1, memory_order_relaxed);
    atomic_fetch_sub_explicit(&bytes, (long long)malloc_usable_size((void *)address), memory_order_relaxed);
}

int lt_acquire(struct lt_thread *thread, enum lt_kind kind, uintptr_t address, uint64_t size,
               const struct lt_regs *from) {
    (void)thread, (void)kind, (void)size, (void)from;
    atomic_fetch_add_explicit(&allocations, 1, memory_order_relaxed);
    hold(address);
    return 0;
}

bool lt_release(struct lt_thread *thread, enum lt_kind kind, uintptr_t address) {
    (void)thread, (void)kind;
    drop(address);
    return true;
}

/* The entry is the block itself. */
struct lt_move lt_move_begin(enum lt_kind kind, uintptr_t address) {
    (void)kind;
    drop(address);
    return (struct lt_move){.entry = (uint32_t *)address};
}

void lt_move_cancel(const struct lt_move *move) {
    if (move->entry)
        hold((uintptr_t)move->entry);
}

void lt_move_commit(struct lt_thread *thread, enum lt_kind kind, const struct lt_move *move) {
    (void)thread, (void)kind, (void)move;
}

__attribute__((destructor)) static void report(void) {
    const char *path = getenv("BENCH_COUNT");
    FILE *file = path ? fopen(path, "w") : NULL;
    if (!file)
        return;
    fprintf(file, "%lld %lld %lld\n", allocations, peak_blocks, peak_bytes);
    fclose(file);
}
