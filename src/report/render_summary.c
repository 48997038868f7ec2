/* The head of a text report: whose dump, which snapshot, what is held of each kind, and what the figures leave out. */
#include "report/human.h"
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
    return totals->present && (totals->alloc_count || totals->live_count || totals->inherited_count);
}

static void put_totals(const struct lt_terminal *terminal, const struct lt_model *model) {
    FILE *out = terminal->out;
    const struct lt_dump_totals *totals = model->snapshot->totals;
    fprintf(out, "\n%-9s %22s %22s %22s\n", "kind", "live", "acquired", "released");
    for (uint32_t kind = 1; kind < LT_KIND_END; kind++) {
        const struct lt_dump_totals *t = &totals[kind];
        if (!has_events(t) && !(t->present && kind == LT_KIND_HEAP))
            continue;
        fprintf(out, "%-9s %11" PRIu64 " %10s", lt_kind_name(kind), t->live_count, lt_human_size(t->live_bytes).text);
        fprintf(out, " %11" PRIu64 " %10s", t->alloc_count, lt_human_size(t->alloc_bytes).text);
        fprintf(out, " %11" PRIu64 " %10s\n", t->release_count, lt_human_size(t->release_bytes).text);
    }
    for (uint32_t kind = 1; kind < LT_KIND_END; kind++)
        if (totals[kind].inherited_count)
            fprintf(out, "%s: %s, %s, inherited from the parent process and still held; in none of the figures\n",
                    lt_kind_name(kind), lt_human_count(totals[kind].inherited_count, "more block").text,
                    lt_human_size(totals[kind].inherited_bytes).text);
}

static void put_changes(const struct lt_report *report, const struct lt_terminal *terminal) {
    FILE *out = terminal->out;
    fprintf(out, "\n%-9s %22s %22s %22s\n", "kind", "live before", "live after", "change");
    for (uint32_t kind = 1; kind < LT_KIND_END; kind++) {
        const struct lt_dump_totals *before = &report->base->snapshot->totals[kind];
        const struct lt_dump_totals *after = &report->model->snapshot->totals[kind];
        if (!has_events(before) && !has_events(after))
            continue;
        fprintf(out, "%-9s %11" PRIu64 " %10s", lt_kind_name(kind), before->live_count,
                lt_human_size(before->live_bytes).text);
        fprintf(out, " %11" PRIu64 " %10s", after->live_count, lt_human_size(after->live_bytes).text);
        fprintf(out, " %+11" PRId64 " %10s\n", (int64_t)(after->live_count - before->live_count),
                lt_human_size_change((int64_t)(after->live_bytes - before->live_bytes)).text);
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
    put_snapshot(terminal, report->model, "to snapshot");
    put_end_of_dump(terminal, report->model);
    if (report->base->dump != report->model->dump)
        put_end_of_dump(terminal, report->base);
    put_changes(report, terminal);
}

void lt_render_summary(const struct lt_report *report, const struct lt_terminal *terminal) {
    const struct lt_model *model = report->model;
    if (report->base) {
        put_comparison(report, terminal);
    } else {
        put_process(terminal, &model->dump->process);
        put_arguments(terminal, &model->dump->process);
        put_snapshot(terminal, model, "snapshot");
        put_end_of_dump(terminal, model);
        put_totals(terminal, model);
    }
    put_untracked(terminal, model->snapshot);
    put_notes(terminal, &model->dump->process);
}
