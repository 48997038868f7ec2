/* How much of the anonymous mappings is in memory. A page costs the kernel some 30 ns and a process may have a hundred
 * million: past EXACT bytes only one run of pages in `stride` is looked at, and stands for all of them. So no process
 * waits longer than for EXACT bytes, and sums over many runs stay right to a few per cent.
 *
 * Small mappings are counted apart from the large ones, so that a program that reserves a terabyte and touches a part
 * of it still has exact numbers of its heap and its stacks. */
#include "track/picture_parts.h"

#include "os/file.h"
#include "os/memory.h"
#include "os/resident.h"

#include <assert.h>

enum { RUN_PAGES = 64, RUN = RUN_PAGES * LT_PAGE };

static_assert(RUN_PAGES * sizeof(uint64_t) <= LT_PICTURE_BUFFER, "the words of a run");

static const uint64_t EXACT = UINT64_C(512) << 20, LARGE = UINT64_C(16) << 20;

struct group {
    uint64_t bytes, stride;
    uint64_t runs; /* of the rows so far: every stride-th is looked at */
};

static bool is_asked(const struct lt_mapping_row *row) {
    const unsigned anonymous = 1u << LT_MAPPING_ANONYMOUS | 1u << LT_MAPPING_HEAP | 1u << LT_MAPPING_STACK |
                               1u << LT_MAPPING_THREAD_STACK | 1u << LT_MAPPING_ARENA | 1u << LT_MAPPING_MALLOC_BLOCK |
                               1u << LT_MAPPING_OWN;
    return row->protection && !(row->flags & LT_MAPPING_SHARED) && anonymous >> row->mapping_class & 1;
}

static struct group *group_of(struct group groups[2], const struct lt_mapping_row *row) {
    return &groups[row->end - row->start >= LARGE];
}

static void choose_strides(struct lt_picture *picture, struct group groups[2]) {
    for (uint32_t i = 0; i < picture->mappings.count; i++) {
        const struct lt_mapping_row *row = lt_vector_at(&picture->mappings, i);
        if (is_asked(row))
            group_of(groups, row)->bytes += row->end - row->start;
    }
    for (unsigned i = 0; i < 2; i++)
        groups[i].stride = 1 + groups[i].bytes / EXACT;
}

/* False where the list can't be read. */
static bool ask(struct lt_picture *picture, int pages, struct lt_mapping_row *row, struct group *group) {
    const uint64_t size = row->end - row->start, runs = (size + RUN - 1) / RUN;
    uint64_t found = 0;
    for (uint64_t i = (group->stride - group->runs % group->stride) % group->stride; i < runs; i += group->stride) {
        const uintptr_t at = row->start + i * RUN, end = row->end - at < RUN ? row->end : at + RUN;
        const int64_t n = lt_pages_resident(pages, at, end, (uint64_t *)(void *)picture->buffer);
        if (n < 0)
            return false;
        found += (uint64_t)n;
    }
    group->runs += runs;
    row->resident = found * LT_PAGE * group->stride;
    row->resident = row->resident < size ? row->resident : size;
    row->has_resident = true;
    return true;
}

void lt_picture_ask_resident(struct lt_picture *picture) {
    struct group groups[2] = {{0}};
    const int pages = lt_pages_open();
    bool readable = pages >= 0;
    choose_strides(picture, groups);
    for (uint32_t i = 0; readable && i < picture->mappings.count; i++) {
        struct lt_mapping_row *row = lt_vector_at(&picture->mappings, i);
        if (is_asked(row))
            readable = ask(picture, pages, row, group_of(groups, row));
    }
    if (pages >= 0)
        lt_close(pages);
}
