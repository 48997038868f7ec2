/* print_dump DUMP: what the reader of the project sees in a dump, in the words of tests/golden/read_dump.py, with the
 * same statuses: 0 complete, 4 something is cut or damaged, 3 unreadable. */
#include "dump/reader.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static void print_quoted(const char *name, const char *text) {
    printf("%s \"", name);
    for (; *text; text++) {
        const unsigned char c = (unsigned char)*text;
        if (c >= 0x20 && c < 0x7f && c != '"' && c != '\\')
            putchar(c);
        else
            printf("\\x%02x", c);
    }
    putchar('"');
}

static void print_text(const char *name, const char *text) {
    print_quoted(name, text);
    putchar('\n');
}

static void print_list(const char *name, const char **texts) {
    for (; *texts; texts++)
        print_text(name, *texts);
}

static void print_process(const struct lt_dump_process *process) {
    printf("process pid=%" PRIu32 " ticks=%" PRIu64 " start=%" PRIu64 " control=%" PRIu32 "/%" PRIu64 " ppid=%" PRIu32
           " forked-from=%" PRIu32 "\n",
           process->pid, process->start_ticks, process->start_wall_ns, process->control_fd, process->control_inode,
           process->ppid, process->forked_from);
    print_text("exe", process->exe);
    print_text("host", process->host);
    print_text("arch", process->arch);
    print_text("library", process->library);
    print_text("unwinder", process->unwinder);
    print_list("arg", process->argv);
    print_list("option", process->options);
    print_list("note", process->notes);
}

static void print_module(size_t id, const struct lt_dump_module *module) {
    printf("module %zu", id);
    print_quoted("", module->path);
    printf(" build-id=");
    for (size_t i = 0; i < module->build_id_size; i++)
        printf("%02x", module->build_id[i]);
    printf(" bias=0x%" PRIx64 " device=%" PRIu64 " inode=%" PRIu64 " size=%" PRIu64 " mtime=%" PRIu64 " load=%" PRIu32
           " unload=%" PRIu32 "\n",
           module->bias, module->device, module->inode, module->size, module->mtime_ns, module->load_cs,
           module->unload_cs);
    for (size_t i = 0; i < module->segment_count; i++) {
        const struct lt_dump_segment *segment = &module->segments[i];
        printf("segment 0x%" PRIx64 " 0x%" PRIx64 " 0x%" PRIx64 " %" PRIu32 "\n", segment->vaddr, segment->memsz,
               segment->offset, segment->flags);
    }
}

static void print_frames(const struct lt_dump *dump, uint32_t node) {
    for (const char *blank = ""; node; node = dump->nodes[node].parent, blank = " ")
        printf("%s%" PRIu32 "+0x%" PRIx64, blank, dump->nodes[node].module, dump->nodes[node].offset);
}

static void print_stack(const struct lt_dump *dump, uint32_t node) {
    printf(" stack=");
    print_frames(dump, node);
    putchar('\n');
}

static void print_totals(const struct lt_dump_snapshot *snapshot) {
    for (unsigned kind = 1; kind < LT_KIND_END; kind++) {
        const struct lt_dump_totals *totals = &snapshot->totals[kind];
        if (totals->present)
            printf("totals %s %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64
                   " %" PRIu64 "\n",
                   lt_kind_name(kind), totals->live_count, totals->live_bytes, totals->alloc_count, totals->alloc_bytes,
                   totals->release_count, totals->release_bytes, totals->inherited_count, totals->inherited_bytes);
    }
}

static void print_site(const struct lt_dump *dump, const struct lt_dump_site *site) {
    printf("site %s flags=%" PRIu32 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " births=%" PRIu32 "..%" PRIu32
           " ages=",
           lt_kind_name(site->kind), site->flags, site->live_count, site->live_bytes, site->alloc_count,
           site->alloc_bytes, site->first_birth_cs, site->last_birth_cs);
    for (size_t i = 0; i < site->age_count; i++)
        printf(" %" PRIu32 ":%" PRIu64 "/%" PRIu64, site->ages[i].age_class, site->ages[i].count, site->ages[i].bytes);
    print_stack(dump, site->node);
}

/* A kind, or 0 where there is no site. */
static const char *kind_name(uint32_t kind) {
    return kind ? lt_kind_name(kind) : "-";
}

static void print_holder(const struct lt_dump *dump, const struct lt_dump_holder *holder) {
    printf(" holder=%s/%" PRIu32 "/%" PRIu32 "[", kind_name(holder->site_kind), holder->site_flags, holder->birth_cs);
    print_frames(dump, holder->node);
    putchar(']');
}

static void print_details(const struct lt_dump_details *details) {
    const struct {
        const char *name, *text;
    } texts[] = {{" protocol", details->protocol},
                 {" state", details->state},
                 {" local", details->local},
                 {" peer", details->peer},
                 {" note", details->note}};
    const struct {
        const char *name;
        uint64_t value;
    } numbers[] = {{"inode", details->inode},     {"receive", details->receive},   {"send", details->send},
                   {"memory", details->memory},   {"position", details->position}, {"size", details->size},
                   {"watches", details->watches}, {"resident", details->resident}};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (texts[i].text[0])
            print_quoted(texts[i].name, texts[i].text);
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        if (numbers[i].value != LT_NO_NUMBER)
            printf(" %s=%" PRIu64, numbers[i].name, numbers[i].value);
    putchar('\n');
}

static void print_descriptor(const struct lt_dump *dump, const struct lt_dump_descriptor *row) {
    printf("descriptor %" PRIu32 " %s origin=%" PRIu32 " flags=%" PRIu32, row->fd, lt_kind_name(row->kind), row->origin,
           row->flags);
    print_holder(dump, &row->holder);
    print_quoted("", row->target);
    print_details(&row->details);
}

static void print_mapping(const struct lt_dump *dump, const struct lt_dump_mapping *row) {
    printf("mapping 0x%" PRIx64 " %" PRIu64 " protection=%" PRIu32 " class=%" PRIu32 " origin=%" PRIu32
           " flags=%" PRIu32,
           row->start, row->length, row->protection, row->mapping_class, row->origin, row->flags);
    print_holder(dump, &row->holder);
    printf(" offset=0x%" PRIx64, row->offset);
    print_quoted("", row->path);
    print_details(&row->details);
}

static void print_thread(const struct lt_dump *dump, const struct lt_dump_thread *row) {
    printf("thread %" PRIu32 " origin=%" PRIu32 " flags=%" PRIu32, row->tid, row->origin, row->flags);
    print_holder(dump, &row->holder);
    printf(" stack=%" PRIu64, row->stack_size);
    print_quoted("", row->name);
    print_details(&row->details);
}

static void print_misuse(const struct lt_dump *dump, const struct lt_dump_misuse *row) {
    printf("misuse %" PRIu32 " %" PRIu64 " fd=%" PRIu32 " flags=%" PRIu32, row->what, row->count, row->fd,
           row->site_flags);
    print_holder(dump, &row->opener);
    print_stack(dump, row->node);
}

static void print_resources(const struct lt_dump *dump, const struct lt_dump_snapshot *snapshot) {
    for (size_t i = 0; i < snapshot->descriptor_count; i++)
        print_descriptor(dump, &snapshot->descriptors[i]);
    for (size_t i = 0; i < snapshot->mapping_count; i++)
        print_mapping(dump, &snapshot->mappings[i]);
    for (size_t i = 0; i < snapshot->thread_count; i++)
        print_thread(dump, &snapshot->threads[i]);
    for (size_t i = 0; i < snapshot->misuse_count; i++)
        print_misuse(dump, &snapshot->misuses[i]);
}

static void print_samples(const struct lt_dump *dump, const struct lt_dump_snapshot *snapshot) {
    if (snapshot->sampling_mean)
        printf("sampling %" PRIu64 "\n", snapshot->sampling_mean);
    for (size_t i = 0; i < snapshot->sample_count; i++) {
        const struct lt_dump_sample *sample = &snapshot->samples[i];
        printf("sample %s flags=%" PRIu32 " %" PRIu64 " %" PRIu64 " variances=%" PRIu64 " %" PRIu64 " %" PRIu64
               " %" PRIu64,
               lt_kind_name(sample->kind), sample->flags, sample->live_samples, sample->alloc_samples,
               sample->live_count_variance, sample->live_bytes_variance, sample->alloc_count_variance,
               sample->alloc_bytes_variance);
        print_stack(dump, sample->node);
    }
}

static void print_snapshot(const struct lt_dump *dump, const struct lt_dump_snapshot *snapshot) {
    printf("snapshot %" PRIu64 " wall=%" PRIu64 " time=%" PRIu32 " trigger=%" PRIu32 " flags=%" PRIu32 "\n",
           snapshot->index, snapshot->wall_ns, snapshot->time_cs, snapshot->trigger, snapshot->flags);
    print_totals(snapshot);
    for (size_t i = 0; i < snapshot->site_count; i++)
        print_site(dump, &snapshot->sites[i]);
    print_samples(dump, snapshot);
    for (size_t i = 0; i < snapshot->block_count; i++) {
        const struct lt_dump_block *block = &snapshot->blocks[i];
        printf("block 0x%" PRIx64 " %s size=%" PRIu64 " birth=%" PRIu32 " flags=%" PRIu32, block->address,
               lt_kind_name(block->kind), block->size, block->birth_cs, block->flags);
        print_stack(dump, block->node);
    }
    for (size_t i = 0; i < snapshot->counter_count; i++) {
        printf("counter %" PRIu32, snapshot->counters[i].group);
        print_quoted("", snapshot->counters[i].name);
        printf(" %" PRIu64 "\n", snapshot->counters[i].value);
    }
    print_resources(dump, snapshot);
}

/* The whole file at `path`, malloc'd; exits with 2 where it can't be read. */
static void *read_file(const char *path, size_t *size) {
    FILE *file = fopen(path, "rb");
    if (!file || fseek(file, 0, SEEK_END) != 0) {
        perror(path);
        exit(2);
    }
    *size = (size_t)ftell(file);
    rewind(file);
    void *bytes = malloc(*size + 1);
    if (!bytes || fread(bytes, 1, *size, file) != *size) {
        perror(path);
        exit(2);
    }
    fclose(file);
    return bytes;
}

int main(int argc, char **argv) {
    struct lt_dump dump;
    size_t size;
    if (argc != 2) {
        fprintf(stderr, "usage: print_dump DUMP\n");
        return 2;
    }
    void *bytes = read_file(argv[1], &size);
    const int status = lt_dump_parse(&dump, bytes, size);
    if (status == 0) {
        print_process(&dump.process);
        for (size_t id = 1; id < dump.module_count; id++)
            print_module(id, &dump.modules[id]);
        for (size_t i = 0; i < dump.snapshot_count; i++)
            print_snapshot(&dump, &dump.snapshots[i]);
    }
    if (dump.end_reason[0])
        fprintf(stderr, "print_dump: %s\n", dump.end_reason);
    const bool complete = dump.end == LT_DUMP_COMPLETE;
    lt_dump_free(&dump);
    free(bytes);
    return status ? 3 : complete ? 0 : 4;
}
