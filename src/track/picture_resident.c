/* How much of the anonymous mappings is in memory. A page costs the kernel some 30 ns and a process may have a hundred
 * million: past EXACT bytes only one run of pages in `stride` is looked at, and stands for all of them. So no process
 * waits longer than for EXACT bytes, and sums over many runs stay right to a few per cent. */
#include "track/picture_parts.h"

#include "os/file.h"
#include "os/memory.h"
#include "os/resident.h"

#include <assert.h>

enum { RUN_PAGES = 64, RUN = RUN_PAGES * LT_PAGE };

static_assert(RUN_PAGES * sizeof(uint64_t) <= LT_PICTURE_BUFFER, "the words of a run");

static const uint64_t EXACT = UINT64_C(512) << 20;

static bool is_asked(const struct lt_mapping_row *row) {
    const unsigned anonymous = 1u << LT_MAPPING_ANONYMOUS | 1u << LT_MAPPING_HEAP | 1u << LT_MAPPING_STACK |
                               1u << LT_MAPPING_THREAD_STACK | 1u << LT_MAPPING_ARENA | 1u << LT_MAPPING_MALLOC_BLOCK |
                               1u << LT_MAPPING_OWN;
    return row->protection && !(row->flags & LT_MAPPING_SHARED) && anonymous >> row->mapping_class & 1;
}

static uint64_t stride_of(const struct lt_picture *picture) {
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < picture->mappings.count; i++) {
        const struct lt_mapping_row *row = lt_vector_at(&picture->mappings, i);
        bytes += is_asked(row) ? row->end - row->start : 0;
    }
    return 1 + bytes / EXACT;
}

/* `run` counts the runs of all rows: every stride-th is looked at. False where the list can't be read. */
static bool ask(struct lt_picture *picture, int pages, struct lt_mapping_row *row, uint64_t stride, uint64_t *run) {
    uint64_t found = 0;
    for (uintptr_t at = row->start; at < row->end; at += RUN) {
        if ((*run)++ % stride)
            continue;
        const uintptr_t end = row->end - at < RUN ? row->end : at + RUN;
        const int64_t n = lt_pages_resident(pages, at, end, (uint64_t *)(void *)picture->buffer);
        if (n < 0)
            return false;
        found += (uint64_t)n;
    }
    row->resident = found * LT_PAGE * stride;
    row->has_resident = true;
    return true;
}

void lt_picture_ask_resident(struct lt_picture *picture) {
    const uint64_t stride = stride_of(picture);
    const int pages = lt_pages_open();
    uint64_t run = 0;
    bool readable = pages >= 0;
    for (uint32_t i = 0; readable && i < picture->mappings.count; i++) {
        struct lt_mapping_row *row = lt_vector_at(&picture->mappings, i);
        if (is_asked(row))
            readable = ask(picture, pages, row, stride, &run);
    }
    if (pages >= 0)
        lt_close(pages);
}
