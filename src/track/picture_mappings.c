/* The same three looks as in picture_descriptors.c, for ranges: the records are copied (before), the maps are read,
 * what the kernel denies is taken out of the table, and the records are copied once more (now). Every acquisition has a
 * serial number of its own: a record that has the same one before and now was held all the time in between, since a
 * release is recorded before the real call. So what of it the maps, read in between, do not list, was unmapped behind
 * our back.
 *
 * Then the lines are cut where the holder changes:
 *
 *   the library's own memory      its own
 *   a record now                  the record's
 *   a record before, none now     released meanwhile: no row
 *   neither                       unattributed */
#include "track/picture_parts.h"

#include "os/arena.h"
#include "os/memory.h"
#include "os/task.h"
#include "track/mappings.h"

#include <elf.h>

struct range {
    uint64_t start, end;
};

/* The four lists, in the order of addresses, and how far the walk over the lines has come in each. */
struct walk {
    struct lt_picture *picture;
    struct lt_vector own, before, now; /* of struct range; of struct lt_mapping */
    uint32_t own_at, before_at, now_at;
    uint64_t now_bytes;  /* of the record at now_at: what the kernel lists of it */
    uintptr_t arena_end; /* of the malloc arena that the walk is in, or was in last */
};

static bool copy_records(struct lt_vector *records) {
    struct lt_mapping mapping;
    lt_vector_init(records, sizeof mapping);
    for (uintptr_t at = 0; lt_mapping_next(at, &mapping); at = mapping.end) {
        struct lt_mapping *record = lt_vector_add(records);
        if (!record)
            return false;
        *record = mapping;
    }
    return true;
}

static bool add_range(struct lt_vector *ranges, uintptr_t start, uintptr_t end) {
    struct range *range = lt_vector_add(ranges);
    if (range)
        *range = (struct range){start, end};
    return range != NULL;
}

/* The stack of a thread of ours is memory of glibc's. */
static void add_own_stack(const struct walk *walk, struct lt_vector *ranges) {
    const struct lt_picture *picture = walk->picture;
    const uintptr_t here = (uintptr_t)__builtin_frame_address(0);
    const int tid = lt_gettid();
    bool is_ours = false;
    for (unsigned i = 0; i < picture->options.own_tid_count; i++)
        is_ours |= picture->options.own_tids[i] == tid;
    for (uint32_t i = 0; is_ours && i < picture->lines.count; i++) {
        const struct lt_map_line *line = lt_vector_at(&picture->lines, i);
        if (line->start <= here && here < line->end) {
            const struct lt_map_line *guard = lt_picture_guard(picture, i);
            (void)add_range(ranges, guard ? guard->start : line->start, line->end);
        }
    }
}

static void collect_own(struct walk *walk) {
    struct lt_arena_usage arena;
    uintptr_t start, end;
    lt_vector_init(&walk->own, sizeof(struct range));
    lt_arena_usage(&arena);
    bool all = add_range(&walk->own, (uintptr_t)lt_arena_base, (uintptr_t)lt_arena_base + arena.reserved);
    for (unsigned i = 0; lt_pages_next(&i, &start, &end); i++)
        all &= add_range(&walk->own, start, end);
    add_own_stack(walk, &walk->own);
    lt_vector_sort(&walk->own);
    if (!all)
        lt_picture_lost(walk->picture);
}

/* ---- what the kernel denies ---- */

static void deny(struct lt_picture *picture, uintptr_t start, uintptr_t end, const struct lt_mapping *record) {
    if (start < end && lt_mapping_vanished(start, end, record))
        picture->vanished[LT_KIND_MAPPING]++;
}

/* What was recorded as of no file is a file's. */
static bool is_mapped_over(const struct lt_map_line *line, const struct lt_mapping *record) {
    return record->anonymous && line->of_file;
}

static void deny_overlap(struct lt_picture *picture, const struct lt_map_line *line, const struct lt_mapping *record) {
    const uintptr_t start = line->start > record->start ? line->start : record->start;
    if (is_mapped_over(line, record))
        deny(picture, start, line->end < record->end ? line->end : record->end, record);
}

/* What was recorded between two lines. */
static void deny_gaps(struct walk *walk) {
    struct lt_picture *picture = walk->picture;
    uint32_t l = 0;
    for (uint32_t r = 0; r < walk->before.count; r++) {
        const struct lt_mapping *record = lt_vector_at(&walk->before, r);
        uintptr_t at = record->start;
        for (; l < picture->lines.count; l++) {
            const struct lt_map_line *line = lt_vector_at(&picture->lines, l);
            if (line->start > at)
                deny(picture, at, line->start < record->end ? line->start : record->end, record);
            deny_overlap(picture, line, record);
            if (line->end > at)
                at = line->end;
            if (at >= record->end)
                break;
        }
        deny(picture, at, record->end, record);
    }
}

/* ---- pieces ---- */

static const struct range *own_at(struct walk *walk, uintptr_t address) {
    for (; walk->own_at < walk->own.count; walk->own_at++) {
        const struct range *range = lt_vector_at(&walk->own, walk->own_at);
        if (range->end > address)
            return range;
    }
    return NULL;
}

static const struct lt_mapping *before_at(struct walk *walk, uintptr_t address) {
    for (; walk->before_at < walk->before.count; walk->before_at++) {
        const struct lt_mapping *record = lt_vector_at(&walk->before, walk->before_at);
        if (record->end > address)
            return record;
    }
    return NULL;
}

/* A record is counted when the walk leaves it: with as much of it as the kernel has listed. */
static const struct lt_mapping *now_at(struct walk *walk, uintptr_t address) {
    for (; walk->now_at < walk->now.count; walk->now_at++) {
        const struct lt_mapping *record = lt_vector_at(&walk->now, walk->now_at);
        if (record->end > address)
            return record;
        if (walk->now_bytes)
            lt_picture_count(walk->picture, LT_KIND_MAPPING, &record->holding, walk->now_bytes);
        walk->now_bytes = 0;
    }
    return NULL;
}

static uintptr_t lower(uintptr_t a, uintptr_t b) {
    return a < b ? a : b;
}

/* Where the piece that begins at `address` ends: it holds it (true), or starts later. */
static bool reaches(uintptr_t start, uintptr_t record_end, uintptr_t address, uintptr_t *end) {
    *end = lower(*end, start <= address ? record_end : start);
    return start <= address;
}

static void add_piece(struct walk *walk, const struct lt_map_line *line, uintptr_t start, uintptr_t end,
                      enum lt_mapping_class mapping_class, const struct lt_mapping *holder) {
    struct lt_mapping_row *row = lt_vector_add(&walk->picture->mappings);
    if (!row) {
        lt_picture_lost(walk->picture);
        return;
    }
    *row = (struct lt_mapping_row){
        .start = start,
        .end = end,
        .offset = line->of_file ? line->offset + (start - line->start) : 0,
        .path = line->path,
        .protection = line->protection,
        .mapping_class = (uint8_t)mapping_class,
        .origin = holder ? holder->origin : LT_ORIGIN_UNATTRIBUTED,
        .flags = line->shared ? LT_MAPPING_SHARED : 0,
    };
    if (holder)
        row->holding = holder->holding;
}

/* An arena's last line may go on behind it, as somebody else's inaccessible range. */
static enum lt_mapping_class class_of(struct walk *walk, const struct lt_map_line *line, uintptr_t at, uintptr_t *end) {
    if (line->mapping_class == LT_MAPPING_ANONYMOUS && !line->of_file && !line->shared && line->protection & PF_W)
        return lt_picture_libc_class(walk->picture, at, end);
    if (line->mapping_class != LT_MAPPING_ARENA)
        return line->mapping_class;
    if (at >= walk->arena_end && line->start % LT_MALLOC_ARENA == 0 && line->protection & PF_W)
        walk->arena_end = line->start + LT_MALLOC_ARENA;
    if (at >= walk->arena_end)
        return LT_MAPPING_ANONYMOUS;
    *end = lower(*end, walk->arena_end);
    return LT_MAPPING_ARENA;
}

/* Cuts the piece that begins at `at` off the line; returns its end. */
static uintptr_t cut(struct walk *walk, const struct lt_map_line *line, uintptr_t at) {
    const struct range *own = own_at(walk, at);
    const struct lt_mapping *now = now_at(walk, at), *before = before_at(walk, at);
    uintptr_t end = line->end;
    if (own && reaches(own->start, own->end, at, &end)) {
        add_piece(walk, line, at, end, LT_MAPPING_OWN, NULL);
    } else if (now && reaches(now->start, now->end, at, &end)) {
        walk->now_bytes += end - at;
        add_piece(walk, line, at, end, line->of_file || line->shared ? line->mapping_class : LT_MAPPING_ANONYMOUS, now);
    } else if (!before || !reaches(before->start, before->end, at, &end) || is_mapped_over(line, before)) {
        const enum lt_mapping_class mapping_class = class_of(walk, line, at, &end);
        add_piece(walk, line, at, end, mapping_class, NULL);
    }
    return end;
}

static void cut_lines(struct walk *walk) {
    for (uint32_t i = 0; i < walk->picture->lines.count; i++) {
        const struct lt_map_line *line = lt_vector_at(&walk->picture->lines, i);
        for (uintptr_t at = line->start; at < line->end;)
            at = cut(walk, line, at);
    }
    (void)now_at(walk, UINTPTR_MAX);
}

/* ---- without /proc, or memory for its lines ---- */

static void show_records(struct walk *walk) {
    walk->picture->reconciled = false;
    for (uint32_t i = 0; i < walk->before.count; i++) {
        const struct lt_mapping *record = lt_vector_at(&walk->before, i);
        const struct lt_map_line line = {.start = record->start, .end = record->end};
        add_piece(walk, &line, record->start, record->end, LT_MAPPING_ANONYMOUS, record);
        lt_picture_count(walk->picture, LT_KIND_MAPPING, &record->holding, record->end - record->start);
    }
}

void lt_picture_take_mappings(struct lt_picture *picture) {
    struct walk walk = {.picture = picture};
    bool copied = copy_records(&walk.before);
    picture->can_peek = lt_peek_open(&picture->peek) == 0;
    lt_picture_read_lines(picture);
    collect_own(&walk);
    if (picture->lines.count && !picture->incomplete) {
        deny_gaps(&walk);
        copied &= copy_records(&walk.now);
        lt_picture_classify_lines(picture);
        cut_lines(&walk);
    } else {
        show_records(&walk);
    }
    if (!copied)
        lt_picture_lost(picture);
    if (picture->can_peek)
        lt_peek_close(&picture->peek);
    picture->can_peek = false;
    lt_vector_free(&walk.own);
    lt_vector_free(&walk.before);
    lt_vector_free(&walk.now);
}
