/* What is plainly wrong, first thing in the report, each with the call stack behind it: for who has a dying service and
 * no time. Only what needs no opinion stands here.
 *
 *     warning: 120 sockets in CLOSE_WAIT, peer 10.0.0.5:443, oldest 3 h 2 min: the peer has closed, ...
 *           connect_backend  src/backend.c:88
 *           main             src/main.c:20 */
#include "report/human.h"
#include "report/kinds.h"
#include "report/render.h"
#include "report/render_resources.h"
#include "report/rise.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
    MOST_OF_A_SORT = 3,
    INDENT = 6,
    LEAST_DELETED = 1 << 24 /* bytes on a disk that nobody finds any more */
};

struct findings {
    const struct lt_report *report;
    const struct lt_terminal *terminal;
    struct lt_pool *pool;
    uint64_t *printed; /* ids of sites whose stacks stand there already */
    size_t printed_count, printed_capacity;
    bool any;
};

static void warn(struct findings *findings, const char *text) {
    const struct lt_terminal *terminal = findings->terminal;
    fputc('\n', terminal->out);
    lt_paint(terminal, LT_PAINT_BAD, "warning: ");
    lt_paint_name(terminal, LT_PAINT_BAD, text, strlen(text));
    fputc('\n', terminal->out);
    findings->any = true;
}

static void put_note(const struct findings *findings, const char *text) {
    fprintf(findings->terminal->out, "%*s%s\n", INDENT - 2, "", text);
}

void lt_render_stack_alone(const struct lt_report *report, const struct lt_terminal *terminal,
                           const struct lt_site *site) {
    struct lt_stack_printer printer = {0};
    lt_render_stack(report, terminal, &printer, &(struct lt_row){.site = site}, 0);
    lt_stack_free(&printer.stack);
    lt_stack_free(&printer.previous);
}

/* Each stack once; later findings only name its place. */
static void put_stack(struct findings *findings, const struct lt_dump_holder *holder) {
    struct lt_site site = lt_holder_site(findings->report->model, holder);
    for (size_t i = 0; i < findings->printed_count; i++)
        if (findings->printed[i] == site.id) {
            const char *place = lt_place_of_holder(findings->report, holder, findings->pool);
            fprintf(findings->terminal->out, "%*s", INDENT, "");
            lt_paint_name(findings->terminal, LT_PAINT_PLAIN, place, strlen(place));
            fputs(" (call stack above)\n", findings->terminal->out);
            return;
        }
    findings->printed =
        lt_grow(findings->printed, &findings->printed_capacity, findings->printed_count + 1, sizeof *findings->printed);
    findings->printed[findings->printed_count++] = site.id;
    lt_render_stack_alone(findings->report, findings->terminal, &site);
}

/* The stack that holds most of these rows; the others are only counted. */
static void put_holders(struct findings *findings, const struct lt_held *held, size_t count) {
    struct lt_share *shares;
    size_t share_count = lt_shares(findings->report->model, held, count, findings->pool, &shares);
    if (!share_count) {
        put_note(findings, "(no call stack: inherited, or acquired where no hook could see it)");
        return;
    }
    if (shares[0].count < count)
        put_note(findings, lt_pool_format(findings->pool, "%zu of them here:", shares[0].count));
    put_stack(findings, &shares[0].holder);
    if (share_count > 1)
        put_note(findings,
                 lt_pool_format(findings->pool, "%s", lt_human_count(share_count - 1, "more call stack").text));
}

static void put_close_wait(struct findings *findings) {
    struct lt_pool *pool = findings->pool;
    struct lt_socket_group *groups;
    size_t count = lt_socket_groups(findings->report->model, pool, &groups), told = 0, rest = 0;
    for (size_t i = 0; i < count; i++) {
        const struct lt_socket_group *group = &groups[i];
        if (!lt_is_close_wait(group->sockets[0]))
            continue;
        if (told++ >= MOST_OF_A_SORT) {
            rest += group->count;
            continue;
        }
        warn(findings, lt_pool_format(pool, "%s in CLOSE_WAIT%s%s: the peer has closed, this process has not",
                                      lt_human_kind_count(group->count, LT_KIND_SOCKET).text,
                                      lt_socket_ends(group, pool), lt_socket_age(group, pool)));
        put_holders(findings, lt_held_sockets(group, pool), group->count);
    }
    if (rest)
        warn(findings, lt_pool_format(pool, "%s more in CLOSE_WAIT, in %s: see the table of sockets",
                                      lt_human_kind_count(rest, LT_KIND_SOCKET).text,
                                      lt_human_count(told - MOST_OF_A_SORT, "more group").text));
}

/* "870 of 1024 descriptors are open: at the limit ..." */
static void warn_of_limit(struct findings *findings, struct lt_use use, const char *consequence) {
    warn(findings, lt_pool_format(findings->pool, "%" PRIu64 " of %" PRIu64 " %s", use.used, use.limit, consequence));
}

static void put_descriptor_limit(struct findings *findings) {
    const struct lt_model *model = findings->report->model;
    const struct lt_resources *rows = &model->resources;
    struct lt_use use = lt_use_of_descriptors(model->snapshot);
    if (!lt_is_near_limit(use) || !rows->descriptor_count)
        return;
    warn_of_limit(findings, use, "descriptors are open: at the limit open, socket and accept fail with EMFILE");
    struct lt_held *held = lt_pool_alloc(findings->pool, rows->descriptor_count, sizeof *held);
    for (size_t i = 0; i < rows->descriptor_count; i++)
        held[i].holder = &rows->descriptors[i]->holder;
    put_holders(findings, held, rows->descriptor_count);
}

static void put_mapping_limit(struct findings *findings) {
    const struct lt_model *model = findings->report->model;
    const struct lt_resources *rows = &model->resources;
    struct lt_use use = lt_use_of_mappings(model->snapshot);
    if (!lt_is_near_limit(use) || !rows->mapping_count)
        return;
    warn_of_limit(findings, use, "mappings exist: at the limit mmap, mprotect and pthread_create fail with ENOMEM");
    struct lt_held *held = lt_pool_alloc(findings->pool, rows->mapping_count, sizeof *held);
    for (size_t i = 0; i < rows->mapping_count; i++)
        held[i].holder = &rows->mappings[i]->holder;
    put_holders(findings, held, rows->mapping_count);
}

static void put_rise(struct findings *findings) {
    const struct lt_model *model = findings->report->model;
    struct lt_pool *pool = findings->pool;
    struct lt_rise rise;
    uint32_t kinds = findings->report->selection->kinds;
    if ((kinds && !(kinds & LT_DESCRIPTOR_KINDS)) || !lt_find_rise(model->dump, model->snapshot, &rise))
        return;
    const char *limit = "";
    if (rise.time_to_limit != LT_NO_NUMBER && !(model->snapshot->flags & LT_SNAPSHOT_LAST))
        limit = lt_pool_format(pool, "; the limit is %s away at this pace", lt_human_duration(rise.time_to_limit).text);
    warn(findings,
         lt_pool_format(pool,
                        "open files rose in each of the last %zu snapshots, from %" PRIu64 " to %" PRIu64 " in %s%s",
                        rise.steps, rise.from, rise.to, lt_human_duration(rise.span).text, limit));
    if (!rise.gain)
        return;
    put_note(findings, lt_pool_format(pool, "+%s here:", lt_human_kind_count(rise.gain, rise.holder.site_kind).text));
    put_stack(findings, &rise.holder);
}

static bool is_on_disk(const struct lt_dump_descriptor *row) {
    return row->flags & LT_DESCRIPTOR_DELETED && row->details.size != LT_NO_NUMBER && row->target[0] == '/' &&
           strncmp(row->target, "/memfd:", 7) != 0;
}

static void put_deleted(struct findings *findings) {
    const struct lt_resources *rows = &findings->report->model->resources;
    struct lt_held *held = lt_pool_alloc(findings->pool, rows->descriptor_count, sizeof *held);
    uint64_t bytes = 0;
    size_t count = 0;
    for (size_t i = 0; i < rows->descriptor_count; i++)
        if (is_on_disk(rows->descriptors[i])) {
            held[count++] = (struct lt_held){&rows->descriptors[i]->holder, rows->descriptors[i]->details.size};
            bytes += rows->descriptors[i]->details.size;
        }
    if (bytes < LEAST_DELETED)
        return;
    warn(findings, lt_pool_format(findings->pool, "%s deleted but still open: %s of disk stay taken until the close",
                                  lt_human_kind_count(count, LT_KIND_FILE).text, lt_human_size(bytes).text));
    put_holders(findings, held, count);
}

static void put_unjoined(struct findings *findings) {
    const struct lt_resources *rows = &findings->report->model->resources;
    struct lt_held *held = lt_pool_alloc(findings->pool, rows->thread_count, sizeof *held);
    uint64_t bytes = 0;
    size_t count = 0;
    for (size_t i = 0; i < rows->thread_count; i++)
        if (lt_is_unjoined(rows->threads[i])) {
            held[count++] = (struct lt_held){&rows->threads[i]->holder, rows->threads[i]->stack_size};
            bytes += rows->threads[i]->stack_size;
        }
    if (!count)
        return;
    const char *stacks = "";
    if (bytes)
        stacks = lt_pool_format(findings->pool, ": %s of stacks stay mapped", lt_human_size(bytes).text);
    warn(findings, lt_pool_format(findings->pool, "%s ended and never joined%s",
                                  lt_human_kind_count(count, LT_KIND_THREAD).text, stacks));
    put_holders(findings, held, count);
}

/* "double close of descriptor 7", "double close, 3 times, the last of descriptor 7" */
static const char *title_of_misuse(const struct lt_dump_misuse *row, struct lt_pool *pool) {
    const char *what = row->what == LT_MISUSE_NOT_OPEN ? "double close" : lt_misuse_word(row->what);
    if (row->count == 1)
        return lt_pool_format(pool, "%s: descriptor %" PRIu32, what, row->fd);
    return lt_pool_format(pool, "%s, %" PRIu64 " times, the last time descriptor %" PRIu32, what, row->count, row->fd);
}

static void put_misuse(struct findings *findings, const struct lt_dump_misuse *row) {
    warn(findings, title_of_misuse(row, findings->pool));
    put_note(findings, "closed here:");
    put_stack(findings, &(struct lt_dump_holder){.node = row->node, .site_flags = row->site_flags});
    if (!lt_holder_is_known(&row->opener))
        return;
    put_note(findings, "opened here:");
    put_stack(findings, &row->opener);
}

static void put_misuses(struct findings *findings) {
    const struct lt_resources *rows = &findings->report->model->resources;
    size_t told = 0;
    for (size_t i = 0; i < rows->misuse_count; i++)
        if (lt_is_plain_misuse(rows->misuses[i]) && told++ < MOST_OF_A_SORT)
            put_misuse(findings, rows->misuses[i]);
    if (told > MOST_OF_A_SORT)
        warn(findings, lt_pool_format(findings->pool, "descriptors were closed wrongly in %s; --list shows all",
                                      lt_human_count(told - MOST_OF_A_SORT, "more place").text));
}

void lt_render_findings(const struct lt_report *report, const struct lt_terminal *terminal) {
    struct lt_pool pool = {0};
    struct findings findings = {.report = report, .terminal = terminal, .pool = &pool};
    put_close_wait(&findings);
    put_descriptor_limit(&findings);
    put_rise(&findings);
    put_mapping_limit(&findings);
    put_misuses(&findings);
    put_unjoined(&findings);
    put_deleted(&findings);
    if (findings.any)
        fputc('\n', terminal->out);
    free(findings.printed);
    lt_pool_free(&pool);
}
