/* How much of the anonymous mappings is in memory. A page that is there costs the kernel some 30 ns, one that is not
 * half a nanosecond, a call 1.5 us, and a process may have a hundred million pages. Where there are more than can be
 * looked at as a whole, one short run of pages in `stride` is, and stands for all of them: so no process waits longer,
 * and sums over many runs stay right to a few per cent.
 *
 * Small mappings are counted apart from the large ones, so that a program that reserves a terabyte and touches a part
 * of it still has exact numbers of its heap and its stacks. */
#include "track/picture_parts.h"

#include "os/file.h"
#include "os/memory.h"
#include "os/resident.h"

/* Pages that are read at once: where all are, and of a part. */
enum { LONG_RUN = LT_PICTURE_BUFFER / sizeof(uint64_t), SHORT_RUN = 64 };

/* As a whole: so many bytes in memory, and so many mapped. Of a part: about so many of each group. */
static const uint64_t WHOLE_RESIDENT = UINT64_C(256) << 20, WHOLE_MAPPED = UINT64_C(16) << 30;
static const uint64_t PART = UINT64_C(512) << 20, LARGE = UINT64_C(16) << 20;

struct group {
    uint64_t bytes, stride;
    uint64_t run;  /* bytes */
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

static bool fits_whole(const struct lt_picture *picture, uint64_t mapped) {
    struct lt_resident resident;
    return mapped <= WHOLE_MAPPED && lt_resident(&resident, picture->buffer, LT_PICTURE_BUFFER) == 0 &&
           resident.anon <= WHOLE_RESIDENT;
}

static void choose_strides(struct lt_picture *picture, struct group groups[2]) {
    for (uint32_t i = 0; i < picture->mappings.count; i++) {
        const struct lt_mapping_row *row = lt_vector_at(&picture->mappings, i);
        if (is_asked(row))
            group_of(groups, row)->bytes += row->end - row->start;
    }
    const bool whole = fits_whole(picture, groups[0].bytes + groups[1].bytes);
    for (unsigned i = 0; i < 2; i++) {
        groups[i].stride = whole ? 1 : 1 + groups[i].bytes / PART;
        groups[i].run = (uint64_t)(whole ? LONG_RUN : SHORT_RUN) * LT_PAGE;
    }
}

/* False where the list can't be read. */
static bool ask(struct lt_picture *picture, int pages, struct lt_mapping_row *row, struct group *group) {
    const uint64_t size = row->end - row->start, runs = (size + group->run - 1) / group->run;
    uint64_t found = 0;
    for (uint64_t i = (group->stride - group->runs % group->stride) % group->stride; i < runs; i += group->stride) {
        const uintptr_t at = row->start + i * group->run;
        const uintptr_t end = row->end - at < group->run ? row->end : at + group->run;
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
