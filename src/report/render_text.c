/* A report for people: the summary, the rows, what was left out, the policies. */
#include "base/attrs.h"
#include "report/human.h"
#include "report/kinds.h"
#include "report/message.h"
#include "report/render.h"
#include "report/shorten.h"
#include "report/wrap.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

const char *lt_trigger_word(uint32_t trigger) {
    static const char *const words[] = {
#define X(name, number, word) [number] = (word),
        LT_TRIGGERS(X)
#undef X
    };
    return trigger < LT_ARRAY_SIZE(words) && words[trigger] ? words[trigger] : "unknown";
}

enum { OLDEST_CLASS = 50 }; /* of what 32 bits of centiseconds can be, and more */

struct age_text {
    char text[112];
};

static uint64_t class_start_cs(uint32_t age_class) {
    return age_class == 0 ? 0 : (uint64_t)100 << (age_class - 1);
}

/* Between which ages all live blocks of the row are: their age classes, narrowed by the first and last birth. */
static struct age_text age_of(const struct lt_report *report, const struct lt_row *row) {
    const struct lt_figures *figures = &row->figures;
    struct age_text age = {""};
    if (figures->oldest > OLDEST_CLASS) /* LT_NO_AGE, too */
        return age;
    const struct lt_model *model = report->model;
    uint64_t now_ns = model->dump->process.start_wall_ns + (uint64_t)model->snapshot->time_cs * 10000000;
    uint64_t least = class_start_cs(figures->youngest), most = class_start_cs(figures->oldest + 1);
    if (now_ns >= figures->last_birth_ns && (now_ns - figures->last_birth_ns) / 10000000 > least)
        least = (now_ns - figures->last_birth_ns) / 10000000;
    if (now_ns >= figures->first_birth_ns && (now_ns - figures->first_birth_ns) / 10000000 < most)
        most = (now_ns - figures->first_birth_ns) / 10000000;
    struct lt_human from = lt_human_duration(least), to = lt_human_duration(most);
    if (most < least + 10 || strcmp(from.text, to.text) == 0)
        snprintf(age.text, sizeof age.text, ", age %s", to.text);
    else
        snprintf(age.text, sizeof age.text, ", age %s to %s", from.text, to.text);
    return age;
}

/* How much of all that is held of its kind: of the bytes where there are any. */
static struct lt_human share_of(const struct lt_report *report, const struct lt_row *row) {
    const struct lt_amount *part = &row->figures.live, *whole = &report->table->sums[row->kind].live;
    return lt_kind_has_bytes(row->kind) ? lt_human_share(part->bytes, whole->bytes)
                                        : lt_human_share(part->count, whole->count);
}

static bool is_estimate(const struct lt_model *model, uint32_t kind) {
    return lt_estimated_kinds(model->snapshot) >> kind & 1;
}

/* "~" in front of a number that was estimated, on either side of a comparison. */
static const char *about(const struct lt_report *report, uint32_t kind) {
    return report->table->estimated_kinds >> kind & 1 ? "~" : "";
}

static char *title_of(const struct lt_report *report, const struct lt_row *row, struct lt_pool *pool) {
    const struct lt_figures *figures = &row->figures;
    bool is_kept = figures->live.count && figures->kept.count == figures->live.count;
    const char *acquired = "";
    if (figures->alloc.count != figures->live.count)
        acquired = lt_pool_format(pool, ", of %s%" PRIu64 " acquired", about(report, row->kind), figures->alloc.count);
    return lt_pool_format(pool, "%s of %s%s%s%s", share_of(report, row).text, lt_kind_plural(row->kind),
                          age_of(report, row).text, acquired, is_kept ? ", kept by a run-time library" : "");
}

static char *change_title_of(const struct lt_report *report, const struct lt_row *row, struct lt_pool *pool) {
    const struct lt_amount *base = &row->figures.base, *live = &row->figures.live;
    const char *before = "", *now = "";
    if (base->count)
        before = lt_pool_format(pool, ", before %s",
                                lt_human_held(base, row->kind, is_estimate(report->base, row->kind)).text);
    if (live->count)
        now = lt_pool_format(pool, ", now %s",
                             lt_human_held(live, row->kind, is_estimate(report->model, row->kind)).text);
    return lt_pool_format(pool, "%s, %s%s%s", lt_kind_name(row->kind), lt_change_word(lt_row_change(&row->figures)),
                          before, now);
}

/* "1000 blocks"; in a comparison "+1000 blocks", or "as many blocks"; "~" in front of an estimate */
static char *count_of(const struct lt_report *report, const struct lt_row *row, struct lt_pool *pool) {
    int64_t change = lt_delta_count(&row->figures);
    const char *mark = about(report, row->kind);
    if (!report->base)
        return lt_pool_format(pool, "%s%s", mark, lt_human_kind_count(row->figures.live.count, row->kind).text);
    if (!change)
        return lt_pool_format(pool, "as many %s", lt_kind_noun(row->kind));
    return lt_pool_format(pool, "%s%s%s", mark, change < 0 ? "-" : "+",
                          lt_human_kind_count(change < 0 ? -(uint64_t)change : (uint64_t)change, row->kind).text);
}

static struct lt_human size_of(const struct lt_report *report, const struct lt_row *row) {
    return report->base ? lt_human_size_change(lt_delta_bytes(&row->figures)) : lt_human_size(row->figures.live.bytes);
}

/* How sure the size is: " ± 8 %" */
static char *error_of(const struct lt_report *report, const struct lt_row *row, struct lt_pool *pool) {
    const struct lt_figures *figures = &row->figures;
    const double size = report->base ? (double)lt_delta_bytes(figures) : (double)figures->live.bytes;
    const struct lt_human error = lt_human_error(size, figures->live_variance.bytes + figures->base_variance.bytes);
    const bool has_error = *about(report, row->kind) && error.text[0];
    return lt_pool_format(pool, "%s%s", has_error ? " " : "", has_error ? error.text : "");
}

static void put_row_head(const struct lt_report *report, const struct lt_terminal *terminal, const struct lt_row *row,
                         size_t number) {
    struct lt_pool scratch = {0};
    enum lt_paint paint = LT_PAINT_STRONG;
    char *title = report->base ? change_title_of(report, row, &scratch) : title_of(report, row, &scratch);
    char *lead = count_of(report, row, &scratch);
    if (report->base)
        paint = lt_row_change(&row->figures) <= LT_CHANGE_GROWN ? LT_PAINT_BAD : LT_PAINT_GOOD;
    if (row->site_count > 1 || row->label)
        title = lt_pool_format(&scratch, "%s, %s", title, lt_human_count(row->site_count, "site").text);
    if (lt_kind_has_bytes(row->kind)) {
        title = lt_pool_format(&scratch, "in %s, %s", lead, title);
        lead = lt_pool_format(&scratch, "#%zu  %s%s%s", number, about(report, row->kind), size_of(report, row).text,
                              error_of(report, row, &scratch));
    } else {
        lead = lt_pool_format(&scratch, "#%zu  %s,", number, lead);
    }
    lt_paint(terminal, paint, "%s", lead);
    fprintf(terminal->out, " %s\n", title);
    lt_pool_free(&scratch);
}

/* The place that a group has in common: its beginning where it is wider than the terminal. */
static void put_label(const struct lt_terminal *terminal, const char *label) {
    static const char indent[] = "      ", ellipsis[] = "...";
    struct lt_pool scratch = {0};
    char *name = lt_pool_format(&scratch, "%s", label);
    lt_shorten(name);
    size_t length = strlen(name), room = terminal->width > sizeof indent ? terminal->width - (sizeof indent - 1) : 0;
    bool is_cut = room > sizeof ellipsis && lt_escaped_width(name, length) > room;
    if (is_cut)
        length = lt_fit_start(name, room - (sizeof ellipsis - 1));
    fputs(indent, terminal->out);
    lt_paint_name(terminal, LT_PAINT_STRONG, name, length);
    fprintf(terminal->out, "%s\n", is_cut ? ellipsis : "");
    lt_pool_free(&scratch);
}

static void put_row(const struct lt_report *report, const struct lt_terminal *terminal,
                    struct lt_stack_printer *printer, size_t index) {
    const struct lt_row *row = &report->table->rows[index];
    fputc('\n', terminal->out);
    put_row_head(report, terminal, row, index + 1);
    if (row->label)
        put_label(terminal, row->label);
    else
        lt_render_stack(report, terminal, printer, row, index + 1);
}

/* Only heap needs no heading: it was there first. */
static bool has_headings(const struct lt_table *table) {
    for (size_t i = 0; i < table->count; i++)
        if (table->rows[i].kind != LT_KIND_HEAP)
            return true;
    return false;
}

/* "heap: 1.2 MiB in 7 blocks", "sockets: 12" */
static void put_heading(const struct lt_report *report, const struct lt_terminal *terminal, uint32_t kind) {
    const struct lt_amount *held = &report->table->sums[kind].live;
    fputc('\n', terminal->out);
    lt_paint(terminal, LT_PAINT_STRONG, "%s", lt_kind_plural(kind));
    if (!report->base && lt_kind_has_bytes(kind))
        fprintf(terminal->out, ": %s", lt_human_held(held, kind, is_estimate(report->model, kind)).text);
    else if (!report->base)
        fprintf(terminal->out, ": %" PRIu64, held->count);
    fputc('\n', terminal->out);
}

static void put_rest_of_kind(const struct lt_report *report, FILE *out, uint32_t kind) {
    const struct lt_table *table = report->table;
    struct lt_amount rest = {0};
    size_t count = 0;
    for (size_t i = report->shown; i < table->count; i++)
        if (table->rows[i].kind == kind) {
            rest.count += table->rows[i].figures.live.count;
            rest.bytes += table->rows[i].figures.live.bytes;
            count++;
        }
    if (count)
        fprintf(out, "\n%s, holding %s; --top 0 lists all\n",
                lt_human_count(count, report->by == LT_BY_STACK ? "more site" : "more row").text,
                lt_human_held(&rest, kind, is_estimate(report->model, kind)).text);
}

static void put_rows(const struct lt_report *report, const struct lt_terminal *terminal) {
    const struct lt_table *table = report->table;
    struct lt_stack_printer printer = {0};
    bool with_headings = has_headings(table);
    for (size_t i = 0; i < report->shown; i++) {
        uint32_t kind = table->rows[i].kind;
        if (with_headings && (i == 0 || table->rows[i - 1].kind != kind))
            put_heading(report, terminal, kind);
        put_row(report, terminal, &printer, i);
        if (i + 1 == report->shown || table->rows[i + 1].kind != kind)
            put_rest_of_kind(report, terminal->out, kind);
    }
    lt_stack_free(&printer.stack);
    lt_stack_free(&printer.previous);
}

static void put_unchanged(const struct lt_report *report, FILE *out) {
    const struct lt_table *table = report->table;
    uint32_t kinds = table->unchanged_kinds;
    if (!table->unchanged_sites)
        return;
    fprintf(out, "\n%s", lt_human_count(table->unchanged_sites, "unchanged site").text);
    if ((kinds & (kinds - 1)) == 0)
        fprintf(
            out, ", holding %s",
            lt_human_held(&table->unchanged.live, (uint32_t)__builtin_ctz(kinds), table->estimated_kinds & kinds).text);
    fputc('\n', out);
}

static void put_nothing(const struct lt_report *report, FILE *out) {
    const struct lt_selection *selection = report->selection;
    bool selected = selection->kinds || selection->min_age_cs || lt_filter_selects(report->filter);
    bool is_heap_missing =
        lt_kind_is_in(LT_KIND_HEAP, selection->kinds) && !(report->recorded & LT_KIND_BIT(LT_KIND_HEAP));
    const char *what = is_heap_missing                  ? " that was recorded"
                       : report->table->estimated_kinds ? " that was sampled"
                                                        : "";
    if (report->base)
        fprintf(out, "\nNo change%s.\n", selected ? " in what was selected" : "");
    else
        fprintf(out, "\nNothing%s is held%s.\n", what, selected ? " of what was selected" : "");
}

/* Kinds that were asked for and that nobody looked at. */
static void put_unrecorded(const struct lt_report *report, FILE *out) {
    const char *lead = "\nnot recorded:";
    for (uint32_t kind = 1; kind < LT_KIND_END; kind++)
        if (report->selection->kinds & LT_KIND_BIT(kind) && !(report->recorded & LT_KIND_BIT(kind))) {
            fprintf(out, "%s %s", lead, lt_kind_name(kind));
            lead = ",";
        }
    if (*lead == ',')
        fputs(" (LEAKTRACK_KINDS, the notes above, or an older library)\n", out);
}

static void put_names(const struct lt_terminal *terminal, const char *lead, const char *names) {
    if (!names)
        return;
    fputs(lead, terminal->out);
    lt_paint_name(terminal, LT_PAINT_PLAIN, names, strlen(names));
}

static void put_nameless(const struct lt_report *report, const struct lt_terminal *terminal) {
    if (!report->nameless && !report->lineless)
        return;
    put_names(terminal, "\nframes without names: ", report->nameless);
    put_names(terminal, report->nameless ? "; without lines: " : "\nframes without lines: ", report->lineless);
    fputs("; build with -g, install debug symbols (Debian: packages named -dbgsym) or set DEBUGINFOD_URLS\n",
          terminal->out);
}

static void put_siblings(const struct lt_report *report, const struct lt_terminal *terminal) {
    put_names(terminal,
              "\nother dumps beside this one, of child processes or what ran before exec: ", report->siblings);
    if (report->siblings)
        fputc('\n', terminal->out);
}

static void put_policies(const struct lt_report *report, const struct lt_terminal *terminal) {
    struct lt_pool scratch = {0};
    for (size_t i = 0; i < report->policy_count; i++) {
        const struct lt_policy *policy = &report->policies[i];
        fputs(i ? "" : "\n", terminal->out);
        lt_paint(terminal, policy->breached ? LT_PAINT_BAD : LT_PAINT_GOOD, "%s", lt_policy_verdict(policy, &scratch));
        fputc('\n', terminal->out);
    }
    lt_pool_free(&scratch);
}

static void render(const struct lt_report *report, const struct lt_terminal *terminal) {
    lt_render_summary(report, terminal);
    if (report->table->count)
        put_rows(report, terminal);
    else
        put_nothing(report, terminal->out);
    put_unchanged(report, terminal->out);
    put_unrecorded(report, terminal->out);
    lt_render_sockets(report, terminal);
    if (report->list)
        lt_render_list(report, terminal);
    put_nameless(report, terminal);
    put_siblings(report, terminal);
    put_policies(report, terminal);
}

void lt_render_text(const struct lt_report *report, const struct lt_terminal *terminal) {
    char *text = NULL;
    size_t size;
    struct lt_terminal page = *terminal;
    if (!terminal->width) {
        render(report, terminal);
        return;
    }
    page.out = open_memstream(&text, &size);
    if (!page.out)
        lt_die_of_memory();
    render(report, &page);
    if (fclose(page.out) != 0)
        lt_die_of_memory();
    lt_wrap(terminal->out, text, terminal->width);
    free(text);
}
