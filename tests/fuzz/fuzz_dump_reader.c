/* Gives the reader of dumps the input as it is, and then once more with every CRC and every END made right, so that the
 * fuzzer gets behind them. Whatever the bytes: what the reader hands out is in bounds, and as large as it may be. */
#include "dump/reader.h"
#include "fuzz/mend_dump.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Aborts unless `condition` holds, whatever NDEBUG says. */
static void check(bool condition) {
    if (!condition)
        abort();
}

static uint64_t touched; /* so that no read is optimised away */

static void touch_text(const char *text) {
    touched += strlen(text);
}

static void touch_list(const char **list) {
    for (; *list; list++)
        touch_text(*list);
}

static void check_process(const struct lt_dump_process *process) {
    touch_text(process->exe);
    touch_text(process->host);
    touch_text(process->arch);
    touch_text(process->library);
    touch_text(process->unwinder);
    touch_list(process->argv);
    touch_list(process->options);
    touch_list(process->notes);
}

static size_t check_dictionaries(const struct lt_dump *dump) {
    size_t bytes = dump->module_count * sizeof *dump->modules + dump->node_count * sizeof *dump->nodes;
    for (size_t i = 0; i < dump->module_count; i++) {
        const struct lt_dump_module *module = &dump->modules[i];
        touch_text(module->path);
        for (size_t j = 0; j < module->build_id_size; j++)
            touched += module->build_id[j];
        for (size_t j = 0; j < module->segment_count; j++)
            touched += module->segments[j].vaddr;
        bytes += module->segment_count * sizeof *module->segments;
    }
    for (size_t i = 1; i < dump->node_count; i++)
        check(dump->nodes[i].parent < i && dump->nodes[i].module < dump->module_count);
    return bytes;
}

static void check_holder(const struct lt_dump *dump, const struct lt_dump_holder *holder) {
    check(holder->node < dump->node_count && holder->site_kind < LT_KIND_END);
}

static void touch_details(const struct lt_dump_details *details) {
    touch_text(details->protocol);
    touch_text(details->state);
    touch_text(details->local);
    touch_text(details->peer);
    touch_text(details->note);
}

static size_t check_descriptors(const struct lt_dump *dump, const struct lt_dump_snapshot *snapshot) {
    for (size_t i = 0; i < snapshot->descriptor_count; i++) {
        const struct lt_dump_descriptor *row = &snapshot->descriptors[i];
        check(row->kind && row->kind < LT_KIND_END && row->origin < LT_ORIGIN_END);
        check_holder(dump, &row->holder);
        touch_text(row->target);
        touch_details(&row->details);
    }
    return snapshot->descriptor_count * sizeof *snapshot->descriptors;
}

static size_t check_mappings(const struct lt_dump *dump, const struct lt_dump_snapshot *snapshot) {
    for (size_t i = 0; i < snapshot->mapping_count; i++) {
        const struct lt_dump_mapping *row = &snapshot->mappings[i];
        check(row->mapping_class < LT_MAPPING_CLASS_END && row->origin < LT_ORIGIN_END);
        check(row->start + row->length >= row->start);
        check_holder(dump, &row->holder);
        touch_text(row->path);
        touch_details(&row->details);
    }
    return snapshot->mapping_count * sizeof *snapshot->mappings;
}

static size_t check_threads(const struct lt_dump *dump, const struct lt_dump_snapshot *snapshot) {
    for (size_t i = 0; i < snapshot->thread_count; i++) {
        const struct lt_dump_thread *row = &snapshot->threads[i];
        check(row->origin < LT_ORIGIN_END);
        check_holder(dump, &row->holder);
        touch_text(row->name);
        touch_details(&row->details);
    }
    return snapshot->thread_count * sizeof *snapshot->threads;
}

static size_t check_misuses(const struct lt_dump *dump, const struct lt_dump_snapshot *snapshot) {
    for (size_t i = 0; i < snapshot->misuse_count; i++) {
        const struct lt_dump_misuse *row = &snapshot->misuses[i];
        check(row->what && row->what < LT_MISUSE_END && row->node < dump->node_count);
        check_holder(dump, &row->opener);
    }
    return snapshot->misuse_count * sizeof *snapshot->misuses;
}

static size_t check_resources(const struct lt_dump *dump, const struct lt_dump_snapshot *snapshot) {
    return check_descriptors(dump, snapshot) + check_mappings(dump, snapshot) + check_threads(dump, snapshot) +
           check_misuses(dump, snapshot);
}

static size_t check_snapshot(const struct lt_dump *dump, const struct lt_dump_snapshot *snapshot) {
    size_t bytes = sizeof *snapshot + snapshot->site_count * sizeof *snapshot->sites +
                   snapshot->block_count * sizeof *snapshot->blocks +
                   snapshot->counter_count * sizeof *snapshot->counters;
    for (size_t i = 0; i < snapshot->site_count; i++) {
        const struct lt_dump_site *site = &snapshot->sites[i];
        check(site->node < dump->node_count && site->kind && site->kind < LT_KIND_END);
        check(site->first_birth_cs <= site->last_birth_cs);
        for (size_t j = 0; j < site->age_count; j++)
            check(site->ages[j].age_class < LT_AGE_CLASSES);
        bytes += site->age_count * sizeof *site->ages;
    }
    for (size_t i = 0; i < snapshot->block_count; i++) {
        const struct lt_dump_block *block = &snapshot->blocks[i];
        check(block->node < dump->node_count && block->kind && block->kind < LT_KIND_END);
    }
    for (size_t i = 0; i < snapshot->counter_count; i++)
        touch_text(snapshot->counters[i].name);
    return bytes + check_resources(dump, snapshot);
}

static void parse(const uint8_t *data, size_t size) {
    struct lt_dump dump;
    const int status = lt_dump_parse(&dump, data, size);
    check(status == (dump.end == LT_DUMP_UNREADABLE ? -EBADMSG : 0));
    check(memchr(dump.end_reason, 0, sizeof dump.end_reason) && !strchr(dump.end_reason, '\n'));
    check((dump.end == LT_DUMP_COMPLETE) == (dump.end_reason[0] == 0));
    check(dump.end == LT_DUMP_UNREADABLE || dump.snapshot_count > 0);
    check_process(&dump.process);
    size_t bytes = check_dictionaries(&dump);
    for (size_t i = 0; i < dump.snapshot_count; i++)
        bytes += check_snapshot(&dump, &dump.snapshots[i]);
    check(bytes <= 4096 + 20 * size); /* memory is bounded by the file's size */
    lt_dump_free(&dump);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    parse(data, size);
    uint8_t *copy = malloc(size ? size : 1);
    check(copy != NULL);
    memcpy(copy, data, size);
    lt_mend_dump(copy, size);
    parse(copy, size);
    free(copy);
    return 0;
}
