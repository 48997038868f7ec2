/* The head of a text report: whose dump, which snapshot, what is held of each kind, and what the figures leave out. */
#include "report/human.h"
#include "report/kinds.h"
#include "report/render.h"

#include <inttypes.h>
#include <string.h>

static void put_name(const struct lt_terminal *terminal, enum lt_paint paint, const char *name) {
    lt_paint_name(terminal, paint, name, strlen(name));
}

static void put_process(const struct lt_terminal *terminal, const struct lt_dump_process *process) {
    FILE *out = terminal->out;
    put_name(terminal, LT_PAINT_STRONG, process->exe[0] ? process->exe : "unknown program");
    fprintf(out, ", pid %" PRIu32, process->pid);
    if (process->forked_from)
        fprintf(out, " (forked from %" PRIu32 ")", process->forked_from);
    if (process->host[0]) {
        fputs(" on ", out);
        put_name(terminal, LT_PAINT_PLAIN, process->host);
    }
    fputs(", started ", out);
    fputs(lt_human_time(process->start_wall_ns).text, out);
    fputc('\n', out);
}

/* On a terminal as many as fit into a line. */
static void put_arguments(const struct lt_terminal *terminal, const struct lt_dump_process *process) {
    static const char label[] = "arguments:", more[] = " ...";
    size_t columns = sizeof label - 1;
    if (!process->argv[0] || !process->argv[1])
        return;
    fputs(label, terminal->out);
    for (size_t i = 1; process->argv[i]; i++) {
        columns += 1 + lt_escaped_width(process->argv[i], strlen(process->argv[i]));
        if (terminal->width && columns + sizeof more > terminal->width) {
            fputs(more, terminal->out);
            break;
        }
        fputc(' ', terminal->out);
        put_name(terminal, LT_PAINT_PLAIN, process->argv[i]);
    }
    fputc('\n', terminal->out);
}

static void put_sampling(const struct lt_terminal *terminal, const struct lt_dump_snapshot *snapshot) {
    if (snapshot->sampling_mean)
        fprintf(terminal->out,
                "sampled: one heap block in %s on average; its numbers are estimates, with their relative standard "
                "error\n",
                lt_human_size(snapshot->sampling_mean).text);
}

static void put_snapshot(const struct lt_terminal *terminal, const struct lt_model *model, const char *label) {
    const struct lt_dump_snapshot *snapshot = model->snapshot;
    FILE *out = terminal->out;
    fprintf(out, "%s %" PRIu64, label, snapshot->index);
    fprintf(out, " (%s), %s after start, %s", lt_trigger_word(snapshot->trigger),
            lt_human_duration(snapshot->time_cs).text, lt_human_time(snapshot->wall_ns).text);
    if (snapshot->flags & LT_SNAPSHOT_INCOMPLETE)
        lt_paint(terminal, LT_PAINT_BAD, "; memory ran out: sites are missing in it, its totals are right");
    if (snapshot != &model->dump->snapshots[model->dump->snapshot_count - 1])
        fprintf(out, "; %" PRIu64 " is the last", model->dump->snapshots[model->dump->snapshot_count - 1].index);
    fputc('\n', out);
}

static void put_end_of_dump(const struct lt_terminal *terminal, const struct lt_model *model) {
    if (model->dump->end == LT_DUMP_COMPLETE)
        return;
    lt_paint(terminal, LT_PAINT_BAD, "the dump is incomplete: ");
    put_name(terminal, LT_PAINT_BAD, model->dump->end_reason);
    fputc('\n', terminal->out);
}

static bool has_events(const struct lt_dump_totals *totals) {
    return totals->present && (totals->alloc_count || totals->live_count);
}

/* One column of the table: a count and, where they mean something, bytes; "~" in front of an estimate. */
static void put_column(FILE *out, uint32_t kind, uint64_t count, uint64_t bytes, uint32_t estimated_kinds) {
    const char *mark = estimated_kinds >> kind & 1 ? "~" : "";
    char text[64];
    snprintf(text, sizeof text, "%s%" PRIu64, mark, count);
    fprintf(out, " %11s", text);
    snprintf(text, sizeof text, "%s%s", mark, lt_human_size(bytes).text);
    if (lt_kind_has_bytes(kind))
        fprintf(out, " %10s", text);
}

/* How sure the three columns of a kind are, below them. */
struct errors {
    struct lt_human texts[3][2]; /* of the count, of the bytes; "" none */
};

static void set_errors(struct lt_human texts[2], uint64_t count, uint64_t bytes, struct lt_variance variance) {
    texts[0] = lt_human_error((double)(int64_t)count, variance.count);
    texts[1] = lt_human_error((double)(int64_t)bytes, variance.bytes);
}

/* The sign is one column of two bytes. Nothing where all numbers are 0. */
static void put_errors(FILE *out, const struct errors *errors) {
    char line[9 + 3 * 2 * sizeof(struct lt_human)];
    int length = snprintf(line, sizeof line, "%-9s", "");
    bool any = false;
    for (size_t i = 0; i < 3; i++)
        for (size_t k = 0; k < 2; k++) {
            const char *text = errors->texts[i][k].text;
            length +=
                snprintf(line + length, sizeof line - (size_t)length, " %*s", (k ? 10 : 11) + (text[0] != 0), text);
            any |= text[0] != 0;
        }
    if (any)
        fprintf(out, "%s\n", line);
}

/* What stands between two columns of a kind without bytes. */
static void put_gap(FILE *out, uint32_t kind) {
    if (!lt_kind_has_bytes(kind))
        fprintf(out, "%11s", "");
}

/* The open files and threads that came from the parent are told with the kernel's figures. */
static void put_inherited(const struct lt_terminal *terminal, const struct lt_dump_snapshot *snapshot) {
    for (uint32_t kind = 1; kind < LT_KIND_END; kind++) {
        const struct lt_dump_totals *totals = &snapshot->totals[kind];
        if (!totals->inherited_count || (snapshot->descriptor_count && LT_KIND_BIT(kind) & LT_DESCRIPTOR_KINDS))
            continue;
        fprintf(terminal->out, "%s: %" PRIu64 " more", lt_kind_name(kind), totals->inherited_count);
        if (kind == LT_KIND_HEAP)
            fputs(totals->inherited_count == 1 ? " block" : " blocks", terminal->out);
        if (lt_kind_has_bytes(kind))
            fprintf(terminal->out, ", %s", lt_human_size(totals->inherited_bytes).text);
        fputs(", inherited from the parent process and still held; in none of the figures\n", terminal->out);
    }
}

static void put_total_errors(FILE *out, const struct lt_model *model, const struct lt_dump_totals *totals) {
    const struct lt_variance live = model->live_variance, alloc = model->alloc_variance;
    struct errors errors;
    set_errors(errors.texts[0], totals->live_count, totals->live_bytes, live);
    set_errors(errors.texts[1], totals->alloc_count, totals->alloc_bytes, alloc);
    set_errors(errors.texts[2], totals->release_count, totals->release_bytes, lt_release_variance(alloc, live));
    put_errors(out, &errors);
}

static void put_warm_up(const struct lt_terminal *terminal, const struct lt_model *model) {
    bool any = false;
    for (uint32_t kind = 1; kind < LT_KIND_END; kind++) {
        const struct lt_amount *held = &model->warm_up[kind].live;
        if (!held->count)
            continue;
        fprintf(terminal->out, "%s %s", any ? "," : "acquired during the warm-up and still held:",
                lt_human_held(held, kind, lt_estimated_kinds(model->snapshot) >> kind & 1).text);
        any = true;
    }
    if (any)
        fputs("; not listed below (--warm-up)\n", terminal->out);
}

static void put_totals(const struct lt_terminal *terminal, const struct lt_model *model) {
    FILE *out = terminal->out;
    const uint32_t estimated = lt_estimated_kinds(model->snapshot);
    const struct lt_dump_totals *totals = model->snapshot->totals;
    fprintf(out, "\n%-9s %22s %22s %22s\n", "kind", "live", "acquired", "released");
    for (uint32_t kind = 1; kind < LT_KIND_END; kind++) {
        const struct lt_dump_totals *t = &totals[kind];
        if (!has_events(t) && !(t->present && kind == LT_KIND_HEAP))
            continue;
        fprintf(out, "%-9s", lt_kind_name(kind));
        put_column(out, kind, t->live_count, t->live_bytes, estimated);
        put_gap(out, kind);
        put_column(out, kind, t->alloc_count, t->alloc_bytes, estimated);
        put_gap(out, kind);
        put_column(out, kind, t->release_count, t->release_bytes, estimated);
        fputc('\n', out);
        if (estimated >> kind & 1)
            put_total_errors(out, model, t);
    }
    put_inherited(terminal, model->snapshot);
    put_warm_up(terminal, model);
}

static void put_change(FILE *out, uint32_t kind, const struct lt_dump_totals *before,
                       const struct lt_dump_totals *after, const char *mark) {
    char text[64];
    snprintf(text, sizeof text, "%s%s", mark,
             lt_human_count_change((int64_t)(after->live_count - before->live_count)).text);
    fprintf(out, " %11s", text);
    snprintf(text, sizeof text, "%s%s", mark,
             lt_human_size_change((int64_t)(after->live_bytes - before->live_bytes)).text);
    if (lt_kind_has_bytes(kind))
        fprintf(out, " %10s", text);
    fputc('\n', out);
}

/* None where all of that side's blocks were recorded. */
static void set_side_errors(struct lt_human texts[2], const struct lt_model *side,
                            const struct lt_dump_totals *totals) {
    if (side->snapshot->sampling_mean)
        set_errors(texts, totals->live_count, totals->live_bytes, side->live_variance);
}

static void put_change_errors(FILE *out, const struct lt_report *report, const struct lt_dump_totals *before,
                              const struct lt_dump_totals *after) {
    const struct lt_variance older = report->base->live_variance, newer = report->model->live_variance;
    struct errors errors = {{{{{0}}}}};
    set_side_errors(errors.texts[0], report->base, before);
    set_side_errors(errors.texts[1], report->model, after);
    set_errors(errors.texts[2], after->live_count - before->live_count, after->live_bytes - before->live_bytes,
               lt_variance_sum(older, newer));
    put_errors(out, &errors);
}

static void put_changes(const struct lt_report *report, const struct lt_terminal *terminal) {
    FILE *out = terminal->out;
    fprintf(out, "\n%-9s %22s %22s %22s\n", "kind", "live before", "live after", "change");
    for (uint32_t kind = 1; kind < LT_KIND_END; kind++) {
        const struct lt_dump_totals *before = &report->base->snapshot->totals[kind];
        const struct lt_dump_totals *after = &report->model->snapshot->totals[kind];
        if (!has_events(before) && !has_events(after))
            continue;
        const bool is_estimate = report->table->estimated_kinds >> kind & 1;
        fprintf(out, "%-9s", lt_kind_name(kind));
        put_column(out, kind, before->live_count, before->live_bytes, lt_estimated_kinds(report->base->snapshot));
        put_gap(out, kind);
        put_column(out, kind, after->live_count, after->live_bytes, lt_estimated_kinds(report->model->snapshot));
        put_gap(out, kind);
        put_change(out, kind, before, after, is_estimate ? "~" : "");
        if (is_estimate)
            put_change_errors(out, report, before, after);
    }
}

static void put_untracked(const struct lt_terminal *terminal, const struct lt_dump_snapshot *snapshot) {
    bool any = false;
    for (size_t i = 0; i < snapshot->counter_count; i++) {
        const struct lt_dump_counter *counter = &snapshot->counters[i];
        if (counter->group != LT_COUNTER_UNTRACKED || !counter->value)
            continue;
        fprintf(terminal->out, "%s %" PRIu64 " ", any ? ";" : "not tracked:", counter->value);
        put_name(terminal, LT_PAINT_PLAIN, counter->name);
        any = true;
    }
    if (any)
        fputc('\n', terminal->out);
}

static void put_notes(const struct lt_terminal *terminal, const struct lt_dump_process *process) {
    for (size_t i = 0; process->notes[i]; i++) {
        fputs("note: ", terminal->out);
        put_name(terminal, LT_PAINT_PLAIN, process->notes[i]);
        fputc('\n', terminal->out);
    }
}

static void put_comparison(const struct lt_report *report, const struct lt_terminal *terminal) {
    const struct lt_dump_process *newer = &report->model->dump->process, *older = &report->base->dump->process;
    put_process(terminal, newer);
    put_arguments(terminal, newer);
    if (report->base->dump != report->model->dump &&
        (newer->pid != older->pid || newer->start_ticks != older->start_ticks)) {
        fputs("compared with ", terminal->out);
        put_process(terminal, older);
    }
    put_snapshot(terminal, report->base, "from snapshot");
    if (report->base->snapshot->sampling_mean != report->model->snapshot->sampling_mean)
        put_sampling(terminal, report->base->snapshot);
    put_snapshot(terminal, report->model, "to snapshot");
    put_sampling(terminal, report->model->snapshot);
    put_end_of_dump(terminal, report->model);
    if (report->base->dump != report->model->dump)
        put_end_of_dump(terminal, report->base);
    put_changes(report, terminal);
    put_warm_up(terminal, report->model);
}

void lt_render_summary(const struct lt_report *report, const struct lt_terminal *terminal) {
    const struct lt_model *model = report->model;
    if (report->base) {
        put_comparison(report, terminal);
    } else {
        put_process(terminal, &model->dump->process);
        lt_render_findings(report, terminal);
        put_arguments(terminal, &model->dump->process);
        put_snapshot(terminal, model, "snapshot");
        put_sampling(terminal, model->snapshot);
        put_end_of_dump(terminal, model);
        put_totals(terminal, model);
    }
    lt_render_limits(report, terminal);
    lt_render_memory(report, terminal);
    put_untracked(terminal, model->snapshot);
    put_notes(terminal, &model->dump->process);
}
