/* A world whose pictures are taken: resources are acquired and recorded by hand, as hooks would, and the dump is
 * compared with what the kernel says. */
#ifndef LT_TESTS_TRACK_PICTURE_H
#define LT_TESTS_TRACK_PICTURE_H

#include "unit.h"

#include "track/resource.h"
#include "track/thread.h"
#include "track_fake_unwind.h"
#include "track_world.h"
#include "unit_child.h"

#include <string.h>

static inline void picture_start(void) {
    static int own[1];
    world_start();
    world_open_file();
    own[0] = world_file.fd;
    world_picture = (struct lt_picture_options){.kinds = UINT32_MAX, .own_fds = own, .own_fd_count = 1};
}

/* The snapshot that is taken now. */
static inline const struct lt_dump_snapshot *picture_take(void) {
    CHILD_CHECK(world_snapshot(false, 0) == 0);
    return world_last(world_read(world_path));
}

/* Counts an acquisition by stack `n`, as a hook does after the real call. */
static inline struct lt_holding picture_acquire(enum lt_kind kind, uint64_t size, int n) {
    struct lt_holding holding;
    world_use_stack(n);
    CHILD_CHECK(lt_resource_acquire(lt_thread_attach(), kind, size, &(struct lt_regs){0, 0, 0}, &holding) >= 0);
    return holding;
}

static inline uint64_t picture_counter(const struct lt_dump_snapshot *of, const char *name) {
    for (size_t i = 0; i < of->counter_count; i++)
        if (of->counters[i].group == LT_COUNTER_KERNEL && strcmp(of->counters[i].name, name) == 0)
            return of->counters[i].value;
    return UINT64_MAX;
}

/* acquired - released = live, by kind, and the sites say the same. */
static inline bool picture_adds_up(const struct lt_dump_snapshot *of) {
    for (unsigned kind = 1; kind < LT_KIND_END; kind++) {
        const struct lt_dump_totals *totals = &of->totals[kind];
        uint64_t count = 0, bytes = 0;
        for (size_t i = 0; i < of->site_count; i++)
            if (of->sites[i].kind == kind) {
                count += of->sites[i].live_count;
                bytes += of->sites[i].live_bytes;
            }
        if (totals->alloc_count - totals->release_count != totals->live_count || count != totals->live_count ||
            totals->alloc_bytes - totals->release_bytes != totals->live_bytes || bytes != totals->live_bytes) {
            fprintf(stderr, "%s: acquired %lu/%lu, released %lu/%lu, live %lu/%lu, at sites %lu/%lu\n",
                    lt_kind_name(kind), totals->alloc_count, totals->alloc_bytes, totals->release_count,
                    totals->release_bytes, totals->live_count, totals->live_bytes, count, bytes);
            return false;
        }
    }
    return true;
}

#endif
