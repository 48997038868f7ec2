/* Every row loop has one shape: take the count and refuse one that the remaining bytes can't hold (so a lying count
 * never allocates), make room once, then read fields until the rows or the bytes end. Fields are not checked one by
 * one: the cursor remembers the first failure and the loop looks at it once per row. */
#include "dump/reader_rows.h"

#include "base/attrs.h"
#include "base/poisson.h"
#include "dump/reader_memory.h"

/* The least bytes that one row takes. */
enum {
    MODULE_MIN = 9,
    SEGMENT_MIN = 4,
    UNLOAD_MIN = 2,
    NODE_MIN = 3,
    TOTALS_MIN = 9,
    SITE_MIN = 10,
    AGE_MIN = 3,
    BLOCK_MIN = 6,
    COUNTER_MIN = 3,
    SAMPLE_MIN = 9,
};

static void add_text(struct lt_cursor *cursor, struct lt_dump *dump, struct lt_texts *list) {
    const char *text = lt_cursor_rest(cursor, dump);
    if (!lt_cursor_room(cursor, &list->items, &list->room, list->count, 2, sizeof *list->items))
        return;
    list->items[list->count++] = text;
    list->items[list->count] = NULL;
}

/* One field of PROCESS; `field` is the bytes of its value. */
static void read_process_field(struct lt_rows *rows, struct lt_cursor *field, uint64_t name) {
    struct lt_dump *dump = rows->dump;
    struct lt_dump_process *process = &dump->process;
    switch (name) {
    case LT_PROCESS_EXE:
        process->exe = lt_cursor_rest(field, dump);
        break;
    case LT_PROCESS_ARG:
        add_text(field, dump, &rows->args);
        break;
    case LT_PROCESS_HOST:
        process->host = lt_cursor_rest(field, dump);
        break;
    case LT_PROCESS_PPID:
        process->ppid = lt_cursor_get32(field);
        break;
    case LT_PROCESS_FORKED_FROM:
        process->forked_from = lt_cursor_get32(field);
        break;
    case LT_PROCESS_ARCH:
        process->arch = lt_cursor_rest(field, dump);
        break;
    case LT_PROCESS_LIBRARY:
        process->library = lt_cursor_rest(field, dump);
        break;
    case LT_PROCESS_OPTION:
        add_text(field, dump, &rows->options);
        break;
    case LT_PROCESS_UNWINDER:
        process->unwinder = lt_cursor_rest(field, dump);
        break;
    case LT_PROCESS_NOTE:
        add_text(field, dump, &rows->notes);
        break;
    default: /* of a later minor version */
        break;
    }
}

void lt_read_process(struct lt_rows *rows, struct lt_cursor *cursor) {
    while (cursor->at < cursor->end) {
        cursor->row++;
        const uint64_t name = lt_cursor_get(cursor);
        size_t size;
        const uint8_t *value = lt_cursor_bytes(cursor, &size);
        if (cursor->failure)
            break;
        struct lt_cursor field = lt_cursor(value, size);
        read_process_field(rows, &field, name);
        cursor->no_memory = field.no_memory;
        if (field.failure)
            lt_cursor_fail(cursor, field.failure);
    }
}

static void read_segments(struct lt_cursor *cursor, struct lt_dump *dump, struct lt_dump_module *module) {
    const size_t count = lt_cursor_count(cursor, SEGMENT_MIN);
    if (count == 0)
        return;
    module->segments = lt_dump_alloc(&dump->memory, count * sizeof *module->segments);
    if (!module->segments) {
        lt_cursor_fail_memory(cursor);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        struct lt_dump_segment *segment = &module->segments[i];
        segment->vaddr = lt_cursor_get(cursor);
        segment->memsz = lt_cursor_get(cursor);
        segment->offset = lt_cursor_get(cursor);
        segment->flags = lt_cursor_get32(cursor);
    }
    module->segment_count = count;
}

static void read_module(struct lt_cursor *cursor, struct lt_dump *dump, struct lt_dump_module *module) {
    *module = (struct lt_dump_module){.unload_cs = UINT32_MAX};
    module->path = lt_cursor_text(cursor, dump);
    module->build_id = lt_cursor_bytes(cursor, &module->build_id_size);
    module->bias = lt_cursor_get(cursor);
    module->device = lt_cursor_get(cursor);
    module->inode = lt_cursor_get(cursor);
    module->size = lt_cursor_get(cursor);
    module->mtime_ns = lt_cursor_get(cursor);
    module->load_cs = lt_cursor_get32(cursor);
    read_segments(cursor, dump, module);
}

/* The rows of a dictionary go on where the section before it ended; ids are 32 bits. */
static size_t get_dictionary_count(struct lt_cursor *cursor, size_t known, size_t row_min) {
    if (lt_cursor_get(cursor) != known && !cursor->failure)
        lt_cursor_fail(cursor, "does not go on where the dictionary ended");
    const size_t count = lt_cursor_count(cursor, row_min);
    if (count <= UINT32_MAX - known)
        return count;
    lt_cursor_fail(cursor, "makes more than 2^32 rows");
    return 0;
}

void lt_read_modules(struct lt_rows *rows, struct lt_cursor *cursor) {
    struct lt_dump *dump = rows->dump;
    const size_t count = get_dictionary_count(cursor, dump->module_count, MODULE_MIN);
    if (!lt_cursor_room(cursor, &dump->modules, &rows->module_room, dump->module_count, count, sizeof *dump->modules))
        return;
    while (cursor->row < count) {
        cursor->row++;
        read_module(cursor, dump, &dump->modules[dump->module_count]);
        if (lt_unlikely(cursor->failure != NULL))
            return;
        dump->module_count++;
    }
}

void lt_read_unloads(struct lt_rows *rows, struct lt_cursor *cursor) {
    const size_t count = lt_cursor_count(cursor, UNLOAD_MIN);
    while (cursor->row < count) {
        cursor->row++;
        const uint32_t module = lt_cursor_module(cursor, rows->dump);
        const uint32_t unload_cs = lt_cursor_get32(cursor);
        if (lt_unlikely(cursor->failure != NULL))
            return;
        rows->dump->modules[module].unload_cs = unload_cs;
    }
}

void lt_read_nodes(struct lt_rows *rows, struct lt_cursor *cursor) {
    struct lt_dump *dump = rows->dump;
    const size_t count = get_dictionary_count(cursor, dump->node_count, NODE_MIN);
    uint64_t offset = 0;
    if (!lt_cursor_room(cursor, &dump->nodes, &rows->node_room, dump->node_count, count, sizeof *dump->nodes))
        return;
    while (cursor->row < count) {
        cursor->row++;
        const size_t id = dump->node_count;
        struct lt_dump_node *node = &dump->nodes[id];
        const uint64_t up = lt_cursor_get(cursor);
        if (lt_unlikely(up == 0 || up > id))
            lt_cursor_fail(cursor, "has a parent that does not stand before it");
        node->parent = (uint32_t)(id - up);
        node->module = lt_cursor_module(cursor, dump);
        offset +=
            (uint64_t)lt_unzigzag(lt_cursor_get(cursor)); /* modulo 2^64: the differences of any two addresses fit */
        node->offset = offset;
        if (lt_unlikely(cursor->failure != NULL))
            return;
        dump->node_count++;
    }
}

static void read_totals(struct lt_cursor *cursor, struct lt_dump_snapshot *snapshot) {
    struct lt_dump_totals *totals = &snapshot->totals[lt_cursor_kind(cursor)]; /* element 0 takes those of no kind */
    totals->live_count = lt_cursor_get(cursor);
    totals->live_bytes = lt_cursor_get(cursor);
    totals->alloc_count = lt_cursor_get(cursor);
    totals->alloc_bytes = lt_cursor_get(cursor);
    totals->release_count = lt_cursor_get(cursor);
    totals->release_bytes = lt_cursor_get(cursor);
    totals->inherited_count = lt_cursor_get(cursor);
    totals->inherited_bytes = lt_cursor_get(cursor);
    totals->present = true;
}

void lt_read_snapshot(struct lt_rows *rows, struct lt_cursor *cursor) {
    struct lt_dump_snapshot *snapshot = &rows->snapshot;
    snapshot->index = lt_cursor_get(cursor);
    snapshot->wall_ns = lt_cursor_get(cursor);
    snapshot->time_cs = lt_cursor_get32(cursor);
    snapshot->trigger = lt_cursor_get32(cursor);
    snapshot->flags = lt_cursor_get32(cursor);
    const size_t count = lt_cursor_count(cursor, TOTALS_MIN);
    while (cursor->row < count && !cursor->failure) {
        cursor->row++;
        read_totals(cursor, snapshot);
    }
}

static void read_ages(struct lt_cursor *cursor, struct lt_dump *dump, struct lt_dump_site *site) {
    const size_t count = lt_cursor_count(cursor, AGE_MIN);
    if (count == 0)
        return;
    site->ages = lt_dump_alloc(&dump->memory, count * sizeof *site->ages);
    if (!site->ages) {
        lt_cursor_fail_memory(cursor);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        struct lt_dump_age *age = &site->ages[i];
        age->age_class = lt_cursor_get32(cursor);
        if (lt_unlikely(age->age_class >= LT_AGE_CLASSES))
            lt_cursor_fail(cursor, "has an age above 497 days");
        age->count = lt_cursor_get(cursor);
        age->bytes = lt_cursor_get(cursor);
    }
    site->age_count = count;
}

/* `before` is the node of the row before. */
static void read_site(struct lt_cursor *cursor, struct lt_dump *dump, struct lt_dump_site *site, uint32_t before) {
    *site = (struct lt_dump_site){0};
    site->node = (uint32_t)lt_cursor_step(cursor, before, dump->node_count, "refers to an unknown node");
    site->kind = lt_cursor_kind(cursor);
    site->flags = lt_cursor_get32(cursor);
    site->live_count = lt_cursor_get(cursor);
    site->live_bytes = lt_cursor_get(cursor);
    site->alloc_count = lt_cursor_get(cursor);
    site->alloc_bytes = lt_cursor_get(cursor);
    site->first_birth_cs = lt_cursor_get32(cursor);
    site->last_birth_cs =
        (uint32_t)lt_cursor_step(cursor, site->first_birth_cs, (uint64_t)UINT32_MAX + 1, "has a birth above 32 bits");
    read_ages(cursor, dump, site);
}

void lt_read_sites(struct lt_rows *rows, struct lt_cursor *cursor) {
    struct lt_dump_snapshot *snapshot = &rows->snapshot;
    const size_t count = lt_cursor_count(cursor, SITE_MIN);
    uint32_t before = 0;
    if (!lt_cursor_room(cursor, &snapshot->sites, &rows->site_room, snapshot->site_count, count,
                        sizeof *snapshot->sites))
        return;
    while (cursor->row < count) {
        cursor->row++;
        struct lt_dump_site *site = &snapshot->sites[snapshot->site_count];
        read_site(cursor, rows->dump, site, before);
        if (lt_unlikely(cursor->failure != NULL))
            return;
        before = site->node;
        snapshot->site_count++;
    }
}

void lt_read_blocks(struct lt_rows *rows, struct lt_cursor *cursor) {
    struct lt_dump_snapshot *snapshot = &rows->snapshot;
    const size_t count = lt_cursor_count(cursor, BLOCK_MIN);
    uint64_t before = 0;
    if (!lt_cursor_room(cursor, &snapshot->blocks, &rows->block_room, snapshot->block_count, count,
                        sizeof *snapshot->blocks))
        return;
    while (cursor->row < count) {
        cursor->row++;
        struct lt_dump_block *block = &snapshot->blocks[snapshot->block_count];
        block->address = before = lt_cursor_step(cursor, before, UINT64_MAX, "has an address above 64 bits");
        block->size = lt_cursor_get(cursor);
        block->birth_cs = lt_cursor_get32(cursor);
        block->node = lt_cursor_node(cursor, rows->dump);
        block->kind = lt_cursor_kind(cursor);
        block->flags = lt_cursor_get32(cursor);
        if (lt_unlikely(cursor->failure != NULL))
            return;
        snapshot->block_count++;
    }
}

void lt_read_counters(struct lt_rows *rows, struct lt_cursor *cursor) {
    struct lt_dump_snapshot *snapshot = &rows->snapshot;
    const size_t count = lt_cursor_count(cursor, COUNTER_MIN);
    if (!lt_cursor_room(cursor, &snapshot->counters, &rows->counter_room, snapshot->counter_count, count,
                        sizeof *snapshot->counters))
        return;
    while (cursor->row < count) {
        cursor->row++;
        struct lt_dump_counter *counter = &snapshot->counters[snapshot->counter_count];
        counter->group = lt_cursor_get32(cursor);
        counter->name = lt_cursor_text(cursor, rows->dump);
        counter->value = lt_cursor_get(cursor);
        if (lt_unlikely(cursor->failure != NULL))
            return;
        snapshot->counter_count++;
    }
}

/* `before` is the node of the row before. */
static void read_sample(struct lt_cursor *cursor, struct lt_dump *dump, struct lt_dump_sample *sample,
                        uint32_t before) {
    sample->node = (uint32_t)lt_cursor_step(cursor, before, dump->node_count, "refers to an unknown node");
    sample->kind = lt_cursor_kind(cursor);
    sample->flags = lt_cursor_get32(cursor);
    sample->live_samples = lt_cursor_get(cursor);
    sample->alloc_samples = lt_cursor_get(cursor);
    sample->live_count_variance = lt_cursor_get(cursor);
    sample->live_bytes_variance = lt_cursor_get(cursor);
    sample->alloc_count_variance = lt_cursor_get(cursor);
    sample->alloc_bytes_variance = lt_cursor_get(cursor);
}

static void read_mean(struct lt_cursor *cursor, struct lt_dump_snapshot *snapshot) {
    const uint64_t mean = lt_cursor_get(cursor);
    if (!cursor->failure && (mean == 0 || mean > LT_POISSON_MEAN_MAX))
        lt_cursor_fail(cursor, "samples at a distance that can't be");
    else if (snapshot->sampling_mean && snapshot->sampling_mean != mean)
        lt_cursor_fail(cursor, "samples at another distance than the section before");
    snapshot->sampling_mean = mean;
}

void lt_read_samples(struct lt_rows *rows, struct lt_cursor *cursor) {
    struct lt_dump_snapshot *snapshot = &rows->snapshot;
    read_mean(cursor, snapshot);
    const size_t count = lt_cursor_count(cursor, SAMPLE_MIN);
    uint32_t before = 0;
    if (!lt_cursor_room(cursor, &snapshot->samples, &rows->sample_room, snapshot->sample_count, count,
                        sizeof *snapshot->samples))
        return;
    while (cursor->row < count) {
        cursor->row++;
        struct lt_dump_sample *sample = &snapshot->samples[snapshot->sample_count];
        read_sample(cursor, rows->dump, sample, before);
        if (lt_unlikely(cursor->failure != NULL))
            return;
        before = sample->node;
        snapshot->sample_count++;
    }
}
