/* The machine's form of a report. docs/report-json.md is its contract and docs/report-json.schema.json its schema:
 * members may be added under "leaktrack-report/1", none may change its meaning. */
#include "report/render_json.h"
#include "report/memory.h"

#include <inttypes.h>

static void put_texts(struct lt_json *json, const char *name, const char **texts) {
    lt_json_array(json, name);
    for (size_t i = 0; texts[i]; i++)
        lt_json_string(json, NULL, texts[i]);
    lt_json_end(json);
}

static const char *or_null(const char *text) {
    return text[0] ? text : NULL;
}

static void put_process(struct lt_json *json, const char *name, const struct lt_dump_process *process) {
    lt_json_object(json, name);
    lt_json_number(json, "pid", process->pid);
    lt_json_number(json, "ppid", process->ppid);
    if (process->forked_from)
        lt_json_number(json, "forked_from", process->forked_from);
    else
        lt_json_string(json, "forked_from", NULL);
    lt_json_string(json, "exe", process->exe);
    put_texts(json, "argv", process->argv);
    lt_json_seconds(json, "start_time", process->start_wall_ns);
    lt_json_string(json, "host", process->host);
    lt_json_string(json, "arch", or_null(process->arch));
    lt_json_string(json, "library_version", or_null(process->library));
    lt_json_string(json, "unwinder", or_null(process->unwinder));
    put_texts(json, "options", process->options);
    put_texts(json, "notes", process->notes);
    lt_json_end(json);
}

static void put_dump(struct lt_json *json, const char *name, const struct lt_model *model) {
    const struct lt_dump *dump = model->dump;
    lt_json_object(json, name);
    lt_json_string(json, "path", model->loaded->path);
    lt_json_bool(json, "complete", dump->end == LT_DUMP_COMPLETE);
    lt_json_string(json, "reason", or_null(dump->end_reason));
    lt_json_number(json, "snapshot_count", dump->snapshot_count);
    lt_json_end(json);
}

static void put_snapshot(struct lt_json *json, const char *name, const struct lt_dump_snapshot *snapshot) {
    lt_json_object(json, name);
    lt_json_number(json, "index", snapshot->index);
    lt_json_seconds(json, "time", snapshot->wall_ns);
    lt_json_seconds(json, "uptime", (uint64_t)snapshot->time_cs * 10000000);
    lt_json_string(json, "trigger", lt_trigger_word(snapshot->trigger));
    lt_json_bool(json, "complete", !(snapshot->flags & LT_SNAPSHOT_INCOMPLETE));
    lt_json_bool(json, "last", snapshot->flags & LT_SNAPSHOT_LAST);
    lt_json_number(json, "sampling_bytes", snapshot->sampling_mean);
    lt_json_end(json);
}

static void put_warm_up(struct lt_json *json, const struct lt_model *model) {
    lt_json_object(json, "warm_up");
    for (uint32_t kind = 1; kind < LT_KIND_END; kind++) {
        const struct lt_figures *figures = &model->warm_up[kind];
        if (!figures->alloc.count)
            continue;
        lt_json_object(json, lt_kind_name(kind));
        lt_json_number(json, "live_count", figures->live.count);
        lt_json_number(json, "live_bytes", figures->live.bytes);
        lt_json_number(json, "alloc_count", figures->alloc.count);
        lt_json_number(json, "alloc_bytes", figures->alloc.bytes);
        lt_json_end(json);
    }
    lt_json_end(json);
}

static void put_errors(struct lt_json *json, const char *count, const char *bytes, struct lt_variance variance) {
    lt_json_number(json, count, lt_standard_error(variance.count));
    lt_json_number(json, bytes, lt_standard_error(variance.bytes));
}

static void put_total_errors(struct lt_json *json, const struct lt_model *model) {
    const struct lt_variance live = model->live_variance, alloc = model->alloc_variance;
    put_errors(json, "live_count_error", "live_bytes_error", live);
    put_errors(json, "alloc_count_error", "alloc_bytes_error", alloc);
    put_errors(json, "release_count_error", "release_bytes_error", lt_release_variance(alloc, live));
}

static void put_totals(struct lt_json *json, const char *name, const struct lt_model *model) {
    const struct lt_dump_snapshot *snapshot = model->snapshot;
    lt_json_object(json, name);
    for (uint32_t kind = 1; kind < LT_KIND_END; kind++) {
        const struct lt_dump_totals *totals = &snapshot->totals[kind];
        if (!totals->present)
            continue;
        lt_json_object(json, lt_kind_name(kind));
        lt_json_number(json, "live_count", totals->live_count);
        lt_json_number(json, "live_bytes", totals->live_bytes);
        lt_json_number(json, "alloc_count", totals->alloc_count);
        lt_json_number(json, "alloc_bytes", totals->alloc_bytes);
        lt_json_number(json, "release_count", totals->release_count);
        lt_json_number(json, "release_bytes", totals->release_bytes);
        lt_json_number(json, "inherited_count", totals->inherited_count);
        lt_json_number(json, "inherited_bytes", totals->inherited_bytes);
        if (lt_estimated_kinds(snapshot) >> kind & 1)
            put_total_errors(json, model);
        lt_json_end(json);
    }
    lt_json_end(json);
}

void lt_json_counters(struct lt_json *json, const char *name, const struct lt_dump_snapshot *snapshot, uint32_t group) {
    lt_json_object(json, name);
    for (size_t i = 0; i < snapshot->counter_count; i++)
        if (snapshot->counters[i].group == group)
            lt_json_number(json, snapshot->counters[i].name, snapshot->counters[i].value);
    lt_json_end(json);
}

static void put_figures(struct lt_json *json, const struct lt_report *report, const struct lt_row *row) {
    const struct lt_figures *figures = &row->figures;
    const bool is_estimate = report->table->estimated_kinds >> row->kind & 1;
    lt_json_number(json, "live_count", figures->live.count);
    lt_json_number(json, "live_bytes", figures->live.bytes);
    lt_json_number(json, "alloc_count", figures->alloc.count);
    lt_json_number(json, "alloc_bytes", figures->alloc.bytes);
    if (is_estimate) {
        put_errors(json, "live_count_error", "live_bytes_error", figures->live_variance);
        put_errors(json, "alloc_count_error", "alloc_bytes_error", figures->alloc_variance);
        lt_json_number(json, "samples", figures->samples);
    }
    if (!report->base)
        return;
    lt_json_signed(json, "delta_count", lt_delta_count(figures));
    lt_json_signed(json, "delta_bytes", lt_delta_bytes(figures));
    if (is_estimate)
        put_errors(json, "delta_count_error", "delta_bytes_error",
                   lt_variance_sum(figures->live_variance, figures->base_variance));
    lt_json_string(json, "change", lt_change_word(lt_row_change(figures)));
}

static void put_birth(struct lt_json *json, const char *name, uint64_t birth_ns) {
    if (birth_ns)
        lt_json_seconds(json, name, birth_ns);
    else
        lt_json_string(json, name, NULL);
}

static void put_module(struct lt_json *json, const struct lt_dump_module *module) {
    lt_json_string(json, "module", module ? or_null(module->path) : NULL);
}

static void put_line(struct lt_json *json, unsigned line) {
    if (line)
        lt_json_number(json, "line", line);
    else
        lt_json_string(json, "line", NULL);
}

/* Go's build id is text. */
static void put_build_id(struct lt_json *json, const struct lt_dump_module *module) {
    char text[128];
    if (module && lt_dump_has_go_build_id(module)) {
        snprintf(text, sizeof text, "%.*s", (int)sizeof text - 1, (const char *)module->build_id);
        lt_json_string(json, "build_id", text);
    } else {
        lt_json_bytes(json, "build_id", module ? module->build_id : NULL, module ? module->build_id_size : 0);
    }
}

static void put_frame(struct lt_json *json, const struct lt_frame *frame) {
    lt_json_flat_object(json, NULL);
    lt_json_string(json, "function", frame->function);
    lt_json_string(json, "file", frame->file);
    put_line(json, frame->line);
    put_module(json, frame->module);
    lt_json_number(json, "offset", frame->offset);
    put_build_id(json, frame->module);
    lt_json_bool(json, "inlined", frame->inlined);
    lt_json_end(json);
}

void lt_json_frames(struct lt_json *json, const struct lt_report *report, const struct lt_site *site) {
    struct lt_stack stack = {0};
    lt_stack_get(&stack, site, report->filter);
    lt_json_array(json, "frames");
    for (size_t i = 0; i < stack.count; i++)
        put_frame(json, &stack.frames[i]);
    lt_json_end(json);
    lt_stack_free(&stack);
}

static void put_site(struct lt_json *json, const struct lt_report *report, const struct lt_row *row) {
    lt_json_object(json, NULL);
    lt_json_hex(json, "id", row->site->id);
    lt_json_string(json, "kind", lt_kind_name(row->kind));
    put_figures(json, report, row);
    put_birth(json, "first_birth", row->figures.first_birth_ns);
    put_birth(json, "last_birth", row->figures.last_birth_ns);
    lt_json_bool(json, "truncated", row->truncated);
    lt_json_bool(json, "kept_by_runtime", row->figures.kept.count > 0);
    lt_json_number(json, "site_count", row->site_count);
    lt_json_frames(json, report, row->site);
    lt_json_end(json);
}

static void put_group(struct lt_json *json, const struct lt_report *report, const struct lt_row *row) {
    lt_json_object(json, NULL);
    lt_json_string(json, "label", row->label);
    lt_json_string(json, "kind", lt_kind_name(row->kind));
    lt_json_number(json, "site_count", row->site_count);
    put_figures(json, report, row);
    put_birth(json, "first_birth", row->figures.first_birth_ns);
    put_birth(json, "last_birth", row->figures.last_birth_ns);
    lt_json_string(json, "function", row->function);
    lt_json_string(json, "file", row->file);
    put_line(json, row->line);
    put_module(json, row->module);
    lt_json_end(json);
}

static void put_rows(struct lt_json *json, const struct lt_report *report) {
    lt_json_array(json, report->by == LT_BY_STACK ? "sites" : "groups");
    for (size_t i = 0; i < report->shown; i++) {
        const struct lt_row *row = &report->table->rows[i];
        if (row->label)
            put_group(json, report, row);
        else
            put_site(json, report, row);
    }
    lt_json_end(json);
    lt_json_number(json, "rows_left_out", report->table->count - report->shown);
}

static void put_policies(struct lt_json *json, const struct lt_report *report) {
    lt_json_array(json, "policies");
    for (size_t i = 0; i < report->policy_count; i++) {
        lt_json_object(json, NULL);
        lt_json_string(json, "policy", report->policies[i].text);
        lt_json_signed(json, "found", report->policies[i].found);
        lt_json_bool(json, "breached", report->policies[i].breached);
        if (report->policies[i].is_estimate)
            lt_json_number(json, "error", lt_standard_error(report->policies[i].variance));
        lt_json_end(json);
    }
    lt_json_end(json);
}

/* Mappings that have no sites. */
static void put_mapped_by(struct lt_json *json, const char *name, const struct lt_amount *held) {
    if (!held->count)
        return;
    lt_json_object(json, name);
    lt_json_number(json, "live_count", held->count);
    lt_json_number(json, "live_bytes", held->bytes);
    lt_json_end(json);
}

static void put_resident(struct lt_json *json, const struct lt_model *model) {
    struct lt_resident_use use;
    if (!lt_resident_of(model, &use))
        return;
    const struct {
        const char *name;
        uint64_t bytes;
    } rows[] = {
        {"total", use.total},        {"files", use.files},      {"shared", use.shared},
        {"heap_in_use", use.in_use}, {"malloc_kept", use.kept}, {"go_runtime", use.go_runtime},
        {"mappings", use.mappings},  {"stacks", use.stacks},    {"leaktrack", use.own},
        {"other", use.other},
    };
    lt_json_object(json, "resident");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (rows[i].bytes != LT_NO_NUMBER)
            lt_json_number(json, rows[i].name, rows[i].bytes);
    lt_json_end(json);
}

static void put_memory_findings(struct lt_json *json, const struct lt_report *report) {
    const struct lt_dump_snapshot *since;
    struct lt_resident_use use;
    lt_json_array(json, "memory_findings");
    if (lt_resident_of(report->model, &use) && lt_is_mostly_kept(report->model, &use))
        lt_json_string(json, NULL, "kept by malloc");
    if (lt_page_cache_of(report->model, report->base, &since) != LT_PAGE_CACHE_LITTLE)
        lt_json_string(json, NULL, "page cache");
    lt_json_end(json);
}

static void put_base(struct lt_json *json, const struct lt_report *report) {
    lt_json_object(json, "base");
    put_process(json, "process", &report->base->dump->process);
    put_dump(json, "dump", report->base);
    put_snapshot(json, "snapshot", report->base->snapshot);
    put_totals(json, "totals", report->base);
    lt_json_counters(json, "kernel", report->base->snapshot, LT_COUNTER_KERNEL);
    lt_json_counters(json, "memory", report->base->snapshot, LT_COUNTER_MEMORY);
    put_resident(json, report->base);
    lt_json_socket_states(json, report->base);
    lt_json_object(json, "unchanged");
    lt_json_number(json, "site_count", report->table->unchanged_sites);
    lt_json_number(json, "live_count", report->table->unchanged.live.count);
    lt_json_number(json, "live_bytes", report->table->unchanged.live.bytes);
    lt_json_end(json);
    lt_json_end(json);
}

void lt_render_json(const struct lt_report *report, FILE *out) {
    const struct lt_dump_snapshot *snapshot = report->model->snapshot;
    struct lt_json json;
    lt_json_init(&json, out);
    lt_json_object(&json, NULL);
    lt_json_string(&json, "schema", "leaktrack-report/1");
    put_process(&json, "process", &report->model->dump->process);
    put_dump(&json, "dump", report->model);
    put_snapshot(&json, "snapshot", snapshot);
    put_totals(&json, "totals", report->model);
    put_warm_up(&json, report->model);
    put_mapped_by(&json, "go_runtime", &report->model->go_runtime.live);
    put_mapped_by(&json, "allocator", &report->model->allocator.live);
    lt_json_counters(&json, "kernel", snapshot, LT_COUNTER_KERNEL);
    lt_json_counters(&json, "memory", snapshot, LT_COUNTER_MEMORY);
    put_resident(&json, report->model);
    put_memory_findings(&json, report);
    lt_json_socket_states(&json, report->model);
    lt_json_counters(&json, "untracked", snapshot, LT_COUNTER_UNTRACKED);
    lt_json_counters(&json, "statistics", snapshot, LT_COUNTER_STATISTICS);
    if (report->base)
        put_base(&json, report);
    put_rows(&json, report);
    lt_json_resources(&json, report);
    put_policies(&json, report);
    lt_json_end(&json);
}
