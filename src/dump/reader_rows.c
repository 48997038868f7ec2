/* Every row loop has one shape: take the count and refuse one that the remaining bytes can't hold (so a lying count
 * never allocates), make room once, then read fields until the rows or the bytes end. Fields are not checked one by
 * one: the cursor remembers the first failure and the loop looks at it once per row. */
#include "dump/reader_rows.h"

#include "base/attrs.h"
#include "base/varint.h"
#include "dump/reader_memory.h"

#include <string.h>

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
};

struct lt_cursor lt_cursor(const void *bytes, size_t size) {
    return (struct lt_cursor){.at = bytes, .end = (const uint8_t *)bytes + size};
}

void lt_cursor_fail(struct lt_cursor *cursor, const char *failure) {
    if (!cursor->failure)
        cursor->failure = failure;
    cursor->at = cursor->end;
}

static void fail_memory(struct lt_cursor *cursor) {
    cursor->no_memory = true;
    lt_cursor_fail(cursor, "needs more memory than there is");
}

static size_t bytes_left(const struct lt_cursor *cursor) {
    return (size_t)(cursor->end - cursor->at);
}

static inline uint64_t get(struct lt_cursor *cursor) {
    uint64_t value = 0;
    if (lt_likely(cursor->at < cursor->end && *cursor->at < 0x80))
        return *cursor->at++;
    const size_t used = lt_varint_get(cursor->at, bytes_left(cursor), &value);
    if (lt_unlikely(used == 0))
        lt_cursor_fail(cursor, "ends inside a number");
    cursor->at += used;
    return value;
}

uint64_t lt_cursor_get(struct lt_cursor *cursor) {
    return get(cursor);
}

static inline uint32_t get32(struct lt_cursor *cursor) {
    const uint64_t value = get(cursor);
    if (lt_unlikely(value > UINT32_MAX))
        lt_cursor_fail(cursor, "holds a number above 32 bits");
    return (uint32_t)value;
}

/* The sum of the row before and a difference; `end` is the first value that is too large. */
static inline uint64_t get_step(struct lt_cursor *cursor, uint64_t before, uint64_t end, const char *failure) {
    const uint64_t step = get(cursor);
    if (lt_unlikely(before >= end || step >= end - before)) {
        lt_cursor_fail(cursor, failure);
        return 0;
    }
    return before + step;
}

static uint32_t get_kind(struct lt_cursor *cursor) {
    const uint64_t kind = get(cursor);
    if (lt_unlikely(kind == 0 || kind >= LT_KIND_END)) {
        lt_cursor_fail(cursor, "is of a kind that this reader does not know");
        return 0;
    }
    return (uint32_t)kind;
}

static uint32_t get_module(struct lt_cursor *cursor, const struct lt_dump *dump) {
    const uint64_t module = get(cursor);
    if (lt_unlikely(module >= dump->module_count))
        lt_cursor_fail(cursor, "refers to an unknown module");
    return (uint32_t)module;
}

static uint32_t get_node(struct lt_cursor *cursor, const struct lt_dump *dump) {
    const uint64_t node = get(cursor);
    if (lt_unlikely(node >= dump->node_count))
        lt_cursor_fail(cursor, "refers to an unknown node");
    return (uint32_t)node;
}

/* A count of rows that take at least `row_min` bytes each; the rows are numbered from here. */
static size_t get_count(struct lt_cursor *cursor, size_t row_min) {
    const uint64_t count = get(cursor);
    if (count <= bytes_left(cursor) / row_min)
        return (size_t)count;
    lt_cursor_fail(cursor, "counts more rows than its bytes can hold");
    return 0;
}

static const uint8_t *get_bytes(struct lt_cursor *cursor, size_t *size) {
    const uint64_t length = get(cursor);
    const uint8_t *bytes = cursor->at;
    *size = 0;
    if (length > bytes_left(cursor)) {
        lt_cursor_fail(cursor, "ends inside a name");
        return bytes;
    }
    *size = (size_t)length;
    cursor->at += length;
    return bytes;
}

static const char *copy_text(struct lt_cursor *cursor, struct lt_dump *dump, const uint8_t *bytes, size_t length) {
    if (length == 0)
        return "";
    if (memchr(bytes, 0, length)) {
        lt_cursor_fail(cursor, "has a NUL in a name");
        return "";
    }
    char *text = lt_dump_alloc(&dump->memory, length + 1);
    if (!text) {
        fail_memory(cursor);
        return "";
    }
    memcpy(text, bytes, length);
    text[length] = 0;
    return text;
}

static const char *get_text(struct lt_cursor *cursor, struct lt_dump *dump) {
    size_t length;
    const uint8_t *bytes = get_bytes(cursor, &length);
    return copy_text(cursor, dump, bytes, length);
}

/* Whatever is left is the text. */
static const char *take_text(struct lt_cursor *cursor, struct lt_dump *dump) {
    return copy_text(cursor, dump, cursor->at, bytes_left(cursor));
}

/* Makes room for `more` items behind `count` in the array that `items` points to; false, with the failure told, if not.
 */
static bool make_room(struct lt_cursor *cursor, void *items, size_t *room, size_t count, size_t more, size_t size) {
    if (lt_dump_grow(items, room, count + more, size) == 0)
        return true;
    fail_memory(cursor);
    return false;
}

static void add_text(struct lt_cursor *cursor, struct lt_dump *dump, struct lt_texts *list) {
    const char *text = take_text(cursor, dump);
    if (!make_room(cursor, &list->items, &list->room, list->count, 2, sizeof *list->items))
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
        process->exe = take_text(field, dump);
        break;
    case LT_PROCESS_ARG:
        add_text(field, dump, &rows->args);
        break;
    case LT_PROCESS_HOST:
        process->host = take_text(field, dump);
        break;
    case LT_PROCESS_PPID:
        process->ppid = get32(field);
        break;
    case LT_PROCESS_FORKED_FROM:
        process->forked_from = get32(field);
        break;
    case LT_PROCESS_ARCH:
        process->arch = take_text(field, dump);
        break;
    case LT_PROCESS_LIBRARY:
        process->library = take_text(field, dump);
        break;
    case LT_PROCESS_OPTION:
        add_text(field, dump, &rows->options);
        break;
    case LT_PROCESS_UNWINDER:
        process->unwinder = take_text(field, dump);
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
        const uint64_t name = get(cursor);
        size_t size;
        const uint8_t *value = get_bytes(cursor, &size);
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
    const size_t count = get_count(cursor, SEGMENT_MIN);
    if (count == 0)
        return;
    module->segments = lt_dump_alloc(&dump->memory, count * sizeof *module->segments);
    if (!module->segments) {
        fail_memory(cursor);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        struct lt_dump_segment *segment = &module->segments[i];
        segment->vaddr = get(cursor);
        segment->memsz = get(cursor);
        segment->offset = get(cursor);
        segment->flags = get32(cursor);
    }
    module->segment_count = count;
}

static void read_module(struct lt_cursor *cursor, struct lt_dump *dump, struct lt_dump_module *module) {
    *module = (struct lt_dump_module){.unload_cs = UINT32_MAX};
    module->path = get_text(cursor, dump);
    module->build_id = get_bytes(cursor, &module->build_id_size);
    module->bias = get(cursor);
    module->device = get(cursor);
    module->inode = get(cursor);
    module->size = get(cursor);
    module->mtime_ns = get(cursor);
    module->load_cs = get32(cursor);
    read_segments(cursor, dump, module);
}

/* The rows of a dictionary go on where the section before it ended; ids are 32 bits. */
static size_t get_dictionary_count(struct lt_cursor *cursor, size_t known, size_t row_min) {
    if (get(cursor) != known && !cursor->failure)
        lt_cursor_fail(cursor, "does not go on where the dictionary ended");
    const size_t count = get_count(cursor, row_min);
    if (count <= UINT32_MAX - known)
        return count;
    lt_cursor_fail(cursor, "makes more than 2^32 rows");
    return 0;
}

void lt_read_modules(struct lt_rows *rows, struct lt_cursor *cursor) {
    struct lt_dump *dump = rows->dump;
    const size_t count = get_dictionary_count(cursor, dump->module_count, MODULE_MIN);
    if (!make_room(cursor, &dump->modules, &rows->module_room, dump->module_count, count, sizeof *dump->modules))
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
    const size_t count = get_count(cursor, UNLOAD_MIN);
    while (cursor->row < count) {
        cursor->row++;
        const uint32_t module = get_module(cursor, rows->dump);
        const uint32_t unload_cs = get32(cursor);
        if (lt_unlikely(cursor->failure != NULL))
            return;
        rows->dump->modules[module].unload_cs = unload_cs;
    }
}

void lt_read_nodes(struct lt_rows *rows, struct lt_cursor *cursor) {
    struct lt_dump *dump = rows->dump;
    const size_t count = get_dictionary_count(cursor, dump->node_count, NODE_MIN);
    uint64_t offset = 0;
    if (!make_room(cursor, &dump->nodes, &rows->node_room, dump->node_count, count, sizeof *dump->nodes))
        return;
    while (cursor->row < count) {
        cursor->row++;
        const size_t id = dump->node_count;
        struct lt_dump_node *node = &dump->nodes[id];
        const uint64_t up = get(cursor);
        if (lt_unlikely(up == 0 || up > id))
            lt_cursor_fail(cursor, "has a parent that does not stand before it");
        node->parent = (uint32_t)(id - up);
        node->module = get_module(cursor, dump);
        offset += (uint64_t)lt_unzigzag(get(cursor)); /* modulo 2^64: the differences of any two addresses fit */
        node->offset = offset;
        if (lt_unlikely(cursor->failure != NULL))
            return;
        dump->node_count++;
    }
}

static void read_totals(struct lt_cursor *cursor, struct lt_dump_snapshot *snapshot) {
    struct lt_dump_totals *totals = &snapshot->totals[get_kind(cursor)]; /* element 0 takes those of no kind */
    totals->live_count = get(cursor);
    totals->live_bytes = get(cursor);
    totals->alloc_count = get(cursor);
    totals->alloc_bytes = get(cursor);
    totals->release_count = get(cursor);
    totals->release_bytes = get(cursor);
    totals->inherited_count = get(cursor);
    totals->inherited_bytes = get(cursor);
    totals->present = true;
}

void lt_read_snapshot(struct lt_rows *rows, struct lt_cursor *cursor) {
    struct lt_dump_snapshot *snapshot = &rows->snapshot;
    snapshot->index = get(cursor);
    snapshot->wall_ns = get(cursor);
    snapshot->time_cs = get32(cursor);
    snapshot->trigger = get32(cursor);
    snapshot->flags = get32(cursor);
    const size_t count = get_count(cursor, TOTALS_MIN);
    while (cursor->row < count && !cursor->failure) {
        cursor->row++;
        read_totals(cursor, snapshot);
    }
}

static void read_ages(struct lt_cursor *cursor, struct lt_dump *dump, struct lt_dump_site *site) {
    const size_t count = get_count(cursor, AGE_MIN);
    if (count == 0)
        return;
    site->ages = lt_dump_alloc(&dump->memory, count * sizeof *site->ages);
    if (!site->ages) {
        fail_memory(cursor);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        struct lt_dump_age *age = &site->ages[i];
        age->age_class = get32(cursor);
        if (lt_unlikely(age->age_class >= LT_AGE_CLASSES))
            lt_cursor_fail(cursor, "has an age above 497 days");
        age->count = get(cursor);
        age->bytes = get(cursor);
    }
    site->age_count = count;
}

/* `before` is the node of the row before. */
static void read_site(struct lt_cursor *cursor, struct lt_dump *dump, struct lt_dump_site *site, uint32_t before) {
    *site = (struct lt_dump_site){0};
    site->node = (uint32_t)get_step(cursor, before, dump->node_count, "refers to an unknown node");
    site->kind = get_kind(cursor);
    site->flags = get32(cursor);
    site->live_count = get(cursor);
    site->live_bytes = get(cursor);
    site->alloc_count = get(cursor);
    site->alloc_bytes = get(cursor);
    site->first_birth_cs = get32(cursor);
    site->last_birth_cs =
        (uint32_t)get_step(cursor, site->first_birth_cs, (uint64_t)UINT32_MAX + 1, "has a birth above 32 bits");
    read_ages(cursor, dump, site);
}

void lt_read_sites(struct lt_rows *rows, struct lt_cursor *cursor) {
    struct lt_dump_snapshot *snapshot = &rows->snapshot;
    const size_t count = get_count(cursor, SITE_MIN);
    uint32_t before = 0;
    if (!make_room(cursor, &snapshot->sites, &rows->site_room, snapshot->site_count, count, sizeof *snapshot->sites))
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
    const size_t count = get_count(cursor, BLOCK_MIN);
    uint64_t before = 0;
    if (!make_room(cursor, &snapshot->blocks, &rows->block_room, snapshot->block_count, count,
                   sizeof *snapshot->blocks))
        return;
    while (cursor->row < count) {
        cursor->row++;
        struct lt_dump_block *block = &snapshot->blocks[snapshot->block_count];
        block->address = before = get_step(cursor, before, UINT64_MAX, "has an address above 64 bits");
        block->size = get(cursor);
        block->birth_cs = get32(cursor);
        block->node = get_node(cursor, rows->dump);
        block->kind = get_kind(cursor);
        block->flags = get32(cursor);
        if (lt_unlikely(cursor->failure != NULL))
            return;
        snapshot->block_count++;
    }
}

void lt_read_counters(struct lt_rows *rows, struct lt_cursor *cursor) {
    struct lt_dump_snapshot *snapshot = &rows->snapshot;
    const size_t count = get_count(cursor, COUNTER_MIN);
    if (!make_room(cursor, &snapshot->counters, &rows->counter_room, snapshot->counter_count, count,
                   sizeof *snapshot->counters))
        return;
    while (cursor->row < count) {
        cursor->row++;
        struct lt_dump_counter *counter = &snapshot->counters[snapshot->counter_count];
        counter->group = get32(cursor);
        counter->name = get_text(cursor, rows->dump);
        counter->value = get(cursor);
        if (lt_unlikely(cursor->failure != NULL))
            return;
        snapshot->counter_count++;
    }
}
