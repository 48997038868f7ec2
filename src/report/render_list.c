/* --list: what lsof and pmap show, with who acquired it:
 *
 *     descriptors: 812
 *       FD  KIND       ORIGIN        AGE        STATE        WHAT
 *        7  socket     call          3 h 2 min  CLOSE_WAIT   tcp 10.0.0.1:40000 -> 10.0.0.5:443
 *            by connect_backend  src/backend.c:88 */
#include "report/human.h"
#include "report/kinds.h"
#include "report/render_resources.h"
#include "report/shorten.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { PLACE_INDENT = 10 };

const char *lt_place_of_holder(const struct lt_report *report, const struct lt_dump_holder *holder,
                               struct lt_pool *pool) {
    struct lt_stack stack = {0};
    struct lt_site site = lt_holder_site(report->model, holder);
    char *text = lt_pool_format(pool, "(no frame was recorded)");
    lt_stack_get(&stack, &site, report->filter);
    const struct lt_frame *frame = lt_stack_place(&stack);
    if (frame && frame->function && frame->file)
        text = lt_pool_format(pool, "%s  %s:%u", frame->function, frame->file, frame->line);
    else if (frame && frame->function)
        text = lt_pool_format(pool, "%s  [%s]", frame->function, lt_module_name(frame->module));
    else if (frame)
        text = lt_pool_format(pool, "%s+0x%" PRIx64, lt_module_name(frame->module), frame->offset);
    lt_stack_free(&stack);
    lt_shorten(text);
    return text;
}

static const char *age_of(const struct lt_report *report, const struct lt_dump_holder *holder, struct lt_pool *pool) {
    uint64_t age = lt_holder_age(report->model->snapshot, holder);
    return age == LT_NO_NUMBER ? "-" : lt_pool_format(pool, "%s", lt_human_duration(age).text);
}

static void put_line(const struct lt_terminal *terminal, const char *text) {
    size_t length = strlen(text);
    while (length && text[length - 1] == ' ') /* an empty last column */
        length--;
    lt_paint_name(terminal, LT_PAINT_PLAIN, text, length);
    fputc('\n', terminal->out);
}

static void put_by(const struct lt_report *report, const struct lt_terminal *terminal,
                   const struct lt_dump_holder *holder, struct lt_pool *pool) {
    if (!lt_holder_is_known(holder))
        return;
    const char *line = lt_pool_format(pool, "%*sby %s", PLACE_INDENT, "", lt_place_of_holder(report, holder, pool));
    lt_paint_name(terminal, LT_PAINT_FAINT, line, strlen(line));
    fputc('\n', terminal->out);
}

/* How many of `count` rows are listed; says what the list is. */
static size_t begin_list(const struct lt_report *report, const struct lt_terminal *terminal, const char *what,
                         size_t count, const char *columns) {
    fputc('\n', terminal->out);
    lt_paint(terminal, LT_PAINT_STRONG, "%s", what);
    fprintf(terminal->out, ": %zu\n%s\n", count, columns);
    return report->top && report->top < count ? report->top : count;
}

static void end_list(const struct lt_terminal *terminal, size_t left) {
    if (left)
        fprintf(terminal->out, "%zu more; --top 0 lists all\n", left);
}

static const char *ends_of(const struct lt_dump_details *details, struct lt_pool *pool) {
    if (details->peer[0])
        return lt_pool_format(pool, "%s -> %s", details->local[0] ? details->local : "?", details->peer);
    return details->local;
}

/* A path, or the two ends of a socket, and what else the kernel tells. */
static const char *what_of(const struct lt_dump_descriptor *row, struct lt_pool *pool) {
    const struct lt_dump_details *details = &row->details;
    const char *ends = ends_of(details, pool), *via = lt_via_word(row->flags), *text = details->protocol;
    bool is_deleted = row->flags & LT_DESCRIPTOR_DELETED && !strstr(row->target, "(deleted)");
    if (!ends[0])
        ends = row->target;
    if (!ends[0] && details->inode != LT_NO_NUMBER) /* what /proc says of it */
        ends = lt_pool_format(pool, "%s:[%" PRIu64 "]", lt_kind_name(row->kind), details->inode);
    text = lt_pool_format(pool, "%s%s%s", text, text[0] && ends[0] ? " " : "", ends);
    if (is_deleted)
        text = lt_pool_format(pool, "%s (deleted)", text);
    if (details->note[0])
        text = lt_pool_format(pool, "%s%s%s", text, text[0] ? ", " : "", details->note);
    return via ? lt_pool_format(pool, "%s [%s]", text, via) : text;
}

static int by_age(const void *left, const void *right) {
    const struct lt_dump_descriptor *a = *(const struct lt_dump_descriptor *const *)left;
    const struct lt_dump_descriptor *b = *(const struct lt_dump_descriptor *const *)right;
    bool a_known = lt_holder_is_known(&a->holder), b_known = lt_holder_is_known(&b->holder);
    if (a_known != b_known)
        return a_known ? -1 : 1;
    if (a->holder.birth_cs != b->holder.birth_cs)
        return a->holder.birth_cs < b->holder.birth_cs ? -1 : 1;
    return (a->fd > b->fd) - (a->fd < b->fd);
}

/* By number, as lsof does; by age where that was asked for. */
static void put_descriptors(const struct lt_report *report, const struct lt_terminal *terminal, struct lt_pool *pool) {
    const struct lt_resources *rows = &report->model->resources;
    size_t count = rows->descriptor_count;
    const struct lt_dump_descriptor **sorted = lt_pool_alloc(pool, count, sizeof(void *));
    if (!count)
        return;
    memcpy(sorted, rows->descriptors, count * sizeof(void *));
    if (report->sort == LT_SORT_AGE)
        qsort(sorted, count, sizeof(void *), by_age);
    size_t shown = begin_list(report, terminal, "descriptors", count,
                              "    FD  KIND       ORIGIN        AGE           STATE        WHAT");
    for (size_t i = 0; i < shown; i++) {
        const struct lt_dump_descriptor *row = sorted[i];
        put_line(terminal,
                 lt_pool_format(pool, "%6" PRIu32 "  %-9s  %-12s  %-12s  %-11s  %s", row->fd, lt_kind_name(row->kind),
                                lt_origin_word(row->origin), age_of(report, &row->holder, pool),
                                row->details.state[0] ? row->details.state : "-", what_of(row, pool)));
        put_by(report, terminal, &row->holder, pool);
    }
    end_list(terminal, count - shown);
}

struct class_sum {
    uint64_t count, bytes, resident;
    bool knows_resident;
};

static void put_classes(const struct lt_report *report, const struct lt_terminal *terminal) {
    const struct lt_resources *rows = &report->model->resources;
    struct class_sum sums[LT_MAPPING_CLASS_END] = {{0}};
    for (size_t i = 0; i < rows->mapping_count; i++) {
        const struct lt_dump_mapping *row = rows->mappings[i];
        if (row->mapping_class >= LT_MAPPING_CLASS_END)
            continue;
        struct class_sum *sum = &sums[row->mapping_class];
        sum->count++;
        sum->bytes += row->length;
        if (row->details.resident != LT_NO_NUMBER) {
            sum->resident += row->details.resident;
            sum->knows_resident = true;
        }
    }
    fprintf(terminal->out, "%-15s  %6s  %10s  %10s\n", "CLASS", "COUNT", "SIZE", "RESIDENT");
    for (uint32_t class = 0; class < LT_MAPPING_CLASS_END; class ++)
        if (sums[class].count)
            fprintf(terminal->out, "%-15s  %6" PRIu64 "  %10s  %10s\n", lt_mapping_class_word(class), sums[class].count,
                    lt_human_size(sums[class].bytes).text,
                    sums[class].knows_resident ? lt_human_size(sums[class].resident).text : "-");
}

static int by_size(const void *left, const void *right) {
    const struct lt_dump_mapping *a = *(const struct lt_dump_mapping *const *)left;
    const struct lt_dump_mapping *b = *(const struct lt_dump_mapping *const *)right;
    if (a->length != b->length)
        return a->length < b->length ? 1 : -1;
    return (a->start > b->start) - (a->start < b->start);
}

/* The library's own are in the sums only: gigabytes of address space that nobody uses. */
static size_t mappings_by_size(const struct lt_resources *rows, const struct lt_dump_mapping **sorted) {
    size_t count = 0;
    for (size_t i = 0; i < rows->mapping_count; i++)
        if (rows->mappings[i]->mapping_class != LT_MAPPING_OWN)
            sorted[count++] = rows->mappings[i];
    if (count)
        qsort(sorted, count, sizeof(void *), by_size);
    return count;
}

static void put_mappings(const struct lt_report *report, const struct lt_terminal *terminal, struct lt_pool *pool) {
    const struct lt_resources *rows = &report->model->resources;
    const struct lt_dump_mapping **sorted = lt_pool_alloc(pool, rows->mapping_count, sizeof(void *));
    if (!rows->mapping_count)
        return;
    size_t count = mappings_by_size(rows, sorted);
    size_t shown = begin_list(report, terminal, "mappings", count,
                              "         ADDRESS        SIZE  PROT  CLASS           ORIGIN        AGE           PATH");
    for (size_t i = 0; i < shown; i++) {
        const struct lt_dump_mapping *row = sorted[i];
        put_line(terminal, lt_pool_format(pool, "%16" PRIx64 "  %10s  %s  %-14s  %-12s  %-12s  %s", row->start,
                                          lt_human_size(row->length).text, lt_protection_word(row).text,
                                          lt_mapping_class_word(row->mapping_class),
                                          lt_is_explained(row) ? "-" : lt_origin_word(row->origin),
                                          age_of(report, &row->holder, pool), row->path[0] ? row->path : "-"));
        put_by(report, terminal, &row->holder, pool);
    }
    end_list(terminal, count - shown);
    put_classes(report, terminal);
}

static const char *state_of(const struct lt_dump_thread *row) {
    if (row->flags & LT_THREAD_MAIN)
        return "main";
    if (row->flags & LT_THREAD_DETACHED)
        return row->flags & LT_THREAD_RUNS ? "detached" : "ended";
    return row->flags & LT_THREAD_RUNS ? "runs" : "not joined";
}

static void put_threads(const struct lt_report *report, const struct lt_terminal *terminal, struct lt_pool *pool) {
    const struct lt_resources *rows = &report->model->resources;
    if (!rows->thread_count)
        return;
    size_t shown = begin_list(report, terminal, "threads", rows->thread_count,
                              "     TID  STATE       ORIGIN        AGE                STACK  NAME");
    for (size_t i = 0; i < shown; i++) {
        const struct lt_dump_thread *row = rows->threads[i];
        const char *tid = row->tid ? lt_pool_format(pool, "%" PRIu32, row->tid) : "-";
        put_line(terminal, lt_pool_format(pool, "%8s  %-10s  %-12s  %-12s  %10s  %s", tid, state_of(row),
                                          lt_origin_word(row->origin), age_of(report, &row->holder, pool),
                                          row->stack_size ? lt_human_size(row->stack_size).text : "-",
                                          row->name[0] ? row->name : "-"));
        put_by(report, terminal, &row->holder, pool);
    }
    end_list(terminal, rows->thread_count - shown);
}

static void put_misuses(const struct lt_report *report, const struct lt_terminal *terminal, struct lt_pool *pool) {
    const struct lt_resources *rows = &report->model->resources;
    if (!rows->misuse_count)
        return;
    size_t shown = begin_list(report, terminal, "misuses", rows->misuse_count, "   COUNT    LAST FD  WHAT");
    for (size_t i = 0; i < shown; i++) {
        const struct lt_dump_misuse *row = rows->misuses[i];
        struct lt_site site = {.model = report->model, .node = row->node};
        put_line(terminal, lt_pool_format(pool, "%8" PRIu64 "  %9" PRIu32 "  %s", row->count, row->fd,
                                          lt_misuse_word(row->what)));
        lt_render_stack_alone(report, terminal, &site);
    }
    end_list(terminal, rows->misuse_count - shown);
}

void lt_render_list(const struct lt_report *report, const struct lt_terminal *terminal) {
    struct lt_pool pool = {0};
    put_descriptors(report, terminal, &pool);
    put_mappings(report, terminal, &pool);
    put_threads(report, terminal, &pool);
    put_misuses(report, terminal, &pool);
    lt_pool_free(&pool);
}
