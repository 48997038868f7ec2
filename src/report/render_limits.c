/* What the kernel counts of the process beside what it allows, and where its count and the call stacks part:
 *
 *     open files 812 of 1024 (79.3 %): 700 attributed, 100 inherited, 12 unattributed
 *     mappings 204 of 65530 (0.3 %), 206 by holder: 20 attributed, 1 unattributed, 174 of modules, stacks, ...
 *     threads 8 running, 1 ended and never joined, 64.0 MiB of stacks */
#include "report/human.h"
#include "report/render.h"

#include <inttypes.h>

/* Rows by where they came from. */
struct origins {
    uint64_t attributed, inherited, unattributed;
};

static void count_origin(struct origins *origins, uint32_t origin) {
    if (origin == LT_ORIGIN_INHERITED)
        origins->inherited++;
    else if (origin == LT_ORIGIN_UNATTRIBUTED)
        origins->unattributed++;
    else
        origins->attributed++;
}

static void put_origins(FILE *out, const struct origins *origins) {
    fprintf(out, ": %" PRIu64 " attributed", origins->attributed);
    if (origins->inherited)
        fprintf(out, ", %" PRIu64 " inherited", origins->inherited);
    if (origins->unattributed)
        fprintf(out, ", %" PRIu64 " unattributed", origins->unattributed);
}

/* "open files 812 of 1024 (79.3 %)" */
static void put_use(const struct lt_terminal *terminal, const char *what, struct lt_use use) {
    if (use.limit)
        lt_paint(terminal, lt_is_near_limit(use) ? LT_PAINT_BAD : LT_PAINT_PLAIN, "%s %" PRIu64 " of %" PRIu64 " (%s)",
                 what, use.used, use.limit, lt_human_share(use.used, use.limit).text);
    else
        fprintf(terminal->out, "%s %" PRIu64, what, use.used);
}

/* " (10 file, 2 socket)" */
static void put_unattributed_kinds(FILE *out, const struct lt_dump_snapshot *snapshot) {
    uint64_t counts[LT_KIND_END] = {0};
    const char *lead = " (";
    for (size_t i = 0; i < snapshot->descriptor_count; i++)
        if (snapshot->descriptors[i].origin == LT_ORIGIN_UNATTRIBUTED)
            counts[snapshot->descriptors[i].kind]++;
    for (uint32_t kind = 1; kind < LT_KIND_END; kind++)
        if (counts[kind]) {
            fprintf(out, "%s%" PRIu64 " %s", lead, counts[kind], lt_kind_name(kind));
            lead = ", ";
        }
    fputc(')', out);
}

static void put_open_files(const struct lt_report *report, const struct lt_terminal *terminal) {
    const struct lt_dump_snapshot *snapshot = report->model->snapshot;
    struct origins origins = {0};
    struct lt_use use = lt_use_of_descriptors(snapshot);
    uint64_t before;
    if (!use.used)
        return;
    put_use(terminal, "open files", use);
    if (report->base && lt_kernel_value(report->base->snapshot, LT_KERNEL_OPEN_FILES, &before))
        fprintf(terminal->out, ", before %" PRIu64, before);
    for (size_t i = 0; i < snapshot->descriptor_count; i++)
        count_origin(&origins, snapshot->descriptors[i].origin);
    if (snapshot->descriptor_count)
        put_origins(terminal->out, &origins);
    if (origins.unattributed)
        put_unattributed_kinds(terminal->out, snapshot);
    fputc('\n', terminal->out);
}

static void put_mappings(const struct lt_terminal *terminal, const struct lt_dump_snapshot *snapshot) {
    struct origins origins = {0};
    struct lt_use use = lt_use_of_mappings(snapshot);
    uint64_t own = 0, explained = 0;
    if (!use.used)
        return;
    put_use(terminal, "mappings", use);
    if (snapshot->mapping_count != use.used && snapshot->mapping_count)
        fprintf(terminal->out, ", %zu by holder", snapshot->mapping_count);
    for (size_t i = 0; i < snapshot->mapping_count; i++) {
        const struct lt_dump_mapping *row = &snapshot->mappings[i];
        if (!lt_is_explained(row))
            count_origin(&origins, row->origin);
        else if (row->mapping_class == LT_MAPPING_OWN)
            own++;
        else
            explained++;
    }
    if (snapshot->mapping_count)
        put_origins(terminal->out, &origins);
    if (explained)
        fprintf(terminal->out, ", %" PRIu64 " of modules, stacks, heap and libc", explained);
    if (own)
        fprintf(terminal->out, ", %" PRIu64 " of leaktrack", own);
    fputc('\n', terminal->out);
}

static void put_go_runtime(FILE *out, const struct lt_amount *held) {
    if (held->count)
        fprintf(out,
                "Go runtime %s, %s: memory of Go's own heap, told by Go's profiler; in the figures, without sites\n",
                lt_human_count(held->count, "mapping").text, lt_human_size(held->bytes).text);
}

static void put_allocator(FILE *out, const struct lt_amount *held) {
    if (held->count)
        fprintf(out, "malloc %s, %s: where the blocks of heap stand; in the figures, without sites\n",
                lt_human_count(held->count, "mapping").text, lt_human_size(held->bytes).text);
}

static void put_threads(const struct lt_terminal *terminal, const struct lt_dump_snapshot *snapshot) {
    uint64_t running = 0, ended = 0, stacks = 0;
    for (size_t i = 0; i < snapshot->thread_count; i++) {
        const struct lt_dump_thread *row = &snapshot->threads[i];
        running += (row->flags & LT_THREAD_RUNS) != 0;
        ended += lt_is_unjoined(row);
        stacks += row->flags & LT_THREAD_MAIN ? 0 : row->stack_size;
    }
    lt_kernel_value(snapshot, LT_KERNEL_THREADS, &running);
    if (!running && !ended)
        return;
    fprintf(terminal->out, "threads %" PRIu64 " running", running);
    if (ended)
        lt_paint(terminal, LT_PAINT_BAD, ", %" PRIu64 " ended and never joined", ended);
    if (stacks)
        fprintf(terminal->out, ", %s of stacks", lt_human_size(stacks).text);
    fputc('\n', terminal->out);
}

static void put_vanished(FILE *out, const struct lt_dump_snapshot *snapshot) {
    static const struct {
        const char *name, *noun;
    } counters[] = {{LT_KERNEL_VANISHED_DESCRIPTORS, "descriptor"},
                    {LT_KERNEL_VANISHED_MAPPINGS, "mapping"},
                    {LT_KERNEL_VANISHED_THREADS, "thread"}};
    const char *lead = "vanished:";
    for (size_t i = 0; i < sizeof counters / sizeof counters[0]; i++) {
        uint64_t count = 0;
        if (!lt_kernel_value(snapshot, counters[i].name, &count) || !count)
            continue;
        fprintf(out, "%s %s", lead, lt_human_count(count, counters[i].noun).text);
        lead = ",";
    }
    if (*lead == ',')
        fputs(", released where no hook could see it\n", out);
}

/* Misuses without an opener are no news at the top of a report: daemons close thousands of numbers to be sure. */
static void put_misuses(FILE *out, const struct lt_dump_snapshot *snapshot) {
    uint64_t count = 0, without_stack = 0;
    for (size_t i = 0; i < snapshot->misuse_count; i++)
        count += snapshot->misuses[i].count;
    lt_kernel_value(snapshot, LT_KERNEL_MISUSES_WITHOUT_STACK, &without_stack);
    if (count + without_stack)
        fprintf(out, "misuses: %s of what was not the caller's; --list shows where\n",
                lt_human_count(count + without_stack, "close").text);
}

void lt_render_limits(const struct lt_report *report, const struct lt_terminal *terminal) {
    const struct lt_dump_snapshot *snapshot = report->model->snapshot;
    uint64_t reconciled = 1;
    put_open_files(report, terminal);
    put_mappings(terminal, snapshot);
    put_go_runtime(terminal->out, &report->model->go_runtime.live);
    put_allocator(terminal->out, &report->model->allocator.live);
    put_threads(terminal, snapshot);
    put_vanished(terminal->out, snapshot);
    put_misuses(terminal->out, snapshot);
    if (lt_kernel_value(snapshot, LT_KERNEL_RECONCILED, &reconciled) && !reconciled)
        lt_paint(
            terminal, LT_PAINT_BAD,
            "not reconciled with the kernel: /proc could not be read, or not all of it; the rest is what hooks saw\n");
}
