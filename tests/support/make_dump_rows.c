#include "support/make_dump_rows.h"

#include <string.h>

void *lt_maker_grown(struct lt_maker *maker, void *items, size_t *room, size_t count, size_t size) {
    if (count <= *room)
        return items;
    *room = 2 * count;
    items = realloc(items, *room * size);
    if (!items)
        LT_MAKER_FAIL(maker, "no memory");
    return items;
}

int lt_maker_collect(void *context, const void *bytes, size_t size) {
    struct lt_maker *maker = context;
    maker->made.bytes = lt_maker_grown(maker, maker->made.bytes, &maker->room, maker->made.size + size, 1);
    memcpy(maker->made.bytes + maker->made.size, bytes, size);
    maker->made.size += size;
    return 0;
}

uint32_t lt_maker_intern(struct lt_maker *maker, const struct lt_make_node_key *key) {
    struct lt_make_node *node;
    HASH_FIND(hh, maker->nodes, key, sizeof *key, node);
    if (node)
        return node->id;
    node = calloc(1, sizeof *node);
    if (!node)
        LT_MAKER_FAIL(maker, "no memory");
    node->key = *key;
    node->id = (uint32_t)++maker->node_count;
    maker->by_id = lt_maker_grown(maker, maker->by_id, &maker->node_room, maker->node_count + 1, sizeof *maker->by_id);
    maker->by_id[node->id] = node;
    HASH_ADD(hh, maker->nodes, key, sizeof node->key, node);
    return node->id;
}

void lt_maker_check(struct lt_maker *maker, int status) {
    if (status)
        LT_MAKER_FAIL(maker, "the writer says %d", status);
}

void lt_maker_write_rows(struct lt_maker *maker, enum lt_section_type type, uint16_t flags, size_t first_id,
                         size_t count, void (*put)(struct lt_maker *, size_t i, bool first)) {
    struct lt_writer *writer = &maker->writer;
    size_t row_size = 1024 + 24 * LT_MAKE_AGES;
    for (size_t i = 0; i < count;) {
        uint32_t rows = 0;
        lt_rows_begin(writer, type, flags, first_id != 0, first_id + i);
        for (; i < count && !lt_rows_full(writer, row_size); i++, rows++)
            put(maker, i, rows == 0);
        lt_maker_check(maker, lt_rows_end(writer, rows));
    }
}

static void put_module(struct lt_maker *maker, size_t i, bool first) {
    struct lt_writer *writer = &maker->writer;
    const struct lt_make_module *module = &maker->modules[maker->modules_written + i];
    (void)first;
    lt_put_bytes(writer, module->path, strlen(module->path));
    lt_put_bytes(writer, module->build_id, module->build_id_size);
    lt_put_varint(writer, module->bias);
    lt_put_varint(writer, module->device);
    lt_put_varint(writer, module->inode);
    lt_put_varint(writer, module->size);
    lt_put_varint(writer, module->mtime);
    lt_put_varint(writer, module->load);
    lt_put_varint(writer, module->segment_count);
    for (size_t segment = 0; segment < module->segment_count; segment++)
        for (size_t field = 0; field < 4; field++)
            lt_put_varint(writer, module->segments[segment][field]);
}

static void put_node(struct lt_maker *maker, size_t i, bool first) {
    const size_t id = maker->nodes_written + i + 1;
    const struct lt_make_node_key *key = &maker->by_id[id]->key;
    const uint64_t before = first ? 0 : maker->by_id[id - 1]->key.offset;
    lt_put_varint(&maker->writer, id - key->parent);
    lt_put_varint(&maker->writer, key->module);
    lt_put_svarint(&maker->writer, (int64_t)(key->offset - before));
}

static void put_site(struct lt_maker *maker, size_t i, bool first) {
    struct lt_writer *writer = &maker->writer;
    const struct lt_make_site *site = &maker->sites[i];
    lt_put_varint(writer, site->node - (first ? 0 : maker->sites[i - 1].node));
    lt_put_varint(writer, site->kind);
    lt_put_varint(writer, site->flags);
    lt_put_varint(writer, site->live.count);
    lt_put_varint(writer, site->live.bytes);
    lt_put_varint(writer, site->alloc.count);
    lt_put_varint(writer, site->alloc.bytes);
    lt_put_varint(writer, site->first);
    lt_put_varint(writer, site->last - site->first);
    lt_put_varint(writer, site->age_count);
    for (size_t age = 0; age < site->age_count; age++)
        for (size_t field = 0; field < 3; field++)
            lt_put_varint(writer, site->ages[age][field]);
}

static void put_block(struct lt_maker *maker, size_t i, bool first) {
    struct lt_writer *writer = &maker->writer;
    const struct lt_make_block *block = &maker->blocks[i];
    lt_put_varint(writer, block->address - (first ? 0 : maker->blocks[i - 1].address));
    lt_put_varint(writer, block->size);
    lt_put_varint(writer, block->birth);
    lt_put_varint(writer, block->node);
    lt_put_varint(writer, block->kind);
    lt_put_varint(writer, block->flags);
}

static void put_counter(struct lt_maker *maker, size_t i, bool first) {
    const struct lt_make_counter *counter = &maker->counters[i];
    (void)first;
    lt_put_varint(&maker->writer, counter->group);
    lt_put_bytes(&maker->writer, counter->name, strlen(counter->name));
    lt_put_varint(&maker->writer, counter->value);
}

static void write_unloads(struct lt_maker *maker) {
    for (size_t i = 0; i < maker->module_count; i++) {
        struct lt_make_module *module = &maker->modules[i];
        if (!module->gone || module->gone_written)
            continue;
        lt_section_begin(&maker->writer, LT_SECTION_UNLOADS, 0);
        lt_put_varint(&maker->writer, 1);
        lt_put_varint(&maker->writer, i + 1);
        lt_put_varint(&maker->writer, module->unload);
        lt_maker_check(maker, lt_section_end(&maker->writer));
        module->gone_written = true;
    }
}

static void write_dictionaries(struct lt_maker *maker) {
    lt_maker_write_rows(maker, LT_SECTION_MODULES, LT_SECTION_CRITICAL, maker->modules_written + 1,
                        maker->module_count - maker->modules_written, put_module);
    maker->modules_written = maker->module_count;
    write_unloads(maker);
    lt_maker_write_rows(maker, LT_SECTION_NODES, LT_SECTION_CRITICAL, maker->nodes_written + 1,
                        maker->node_count - maker->nodes_written, put_node);
    maker->nodes_written = maker->node_count;
}

static void put_pair(struct lt_maker *maker, struct lt_make_pair pair) {
    lt_put_varint(&maker->writer, pair.count);
    lt_put_varint(&maker->writer, pair.bytes);
}

static void write_totals(struct lt_maker *maker) {
    unsigned present = 0;
    for (unsigned kind = 0; kind < LT_KIND_END; kind++)
        present += maker->totals[kind].present;
    lt_put_varint(&maker->writer, present);
    for (unsigned kind = 0; kind < LT_KIND_END; kind++) {
        const struct lt_make_totals *totals = &maker->totals[kind];
        if (!totals->present)
            continue;
        lt_put_varint(&maker->writer, kind);
        put_pair(maker, totals->live);
        put_pair(maker, totals->alloc);
        put_pair(maker, totals->release);
        put_pair(maker, totals->inherited);
    }
}

static void sum_totals(struct lt_maker *maker) {
    for (size_t i = 0; i < maker->site_count; i++) {
        const struct lt_make_site *site = &maker->sites[i];
        struct lt_make_totals *totals = &maker->totals[site->kind];
        totals->present = true;
        if (totals->given)
            continue;
        totals->live.count += site->live.count;
        totals->live.bytes += site->live.bytes;
        totals->alloc.count += site->alloc.count;
        totals->alloc.bytes += site->alloc.bytes;
        totals->release.count = totals->alloc.count - totals->live.count;
        totals->release.bytes = totals->alloc.bytes - totals->live.bytes;
    }
}

static int by_node(const void *a, const void *b) {
    const struct lt_make_site *x = a, *y = b;
    if (x->node != y->node)
        return x->node < y->node ? -1 : 1;
    return x->kind != y->kind ? (x->kind < y->kind ? -1 : 1) : (int)x->flags - (int)y->flags;
}

static int by_address(const void *a, const void *b) {
    const struct lt_make_block *x = a, *y = b;
    return (x->address > y->address) - (x->address < y->address);
}

static void put_sample(struct lt_maker *maker, const struct lt_make_site *site, uint32_t last_node) {
    struct lt_writer *writer = &maker->writer;
    lt_put_varint(writer, site->node - last_node);
    lt_put_varint(writer, site->kind);
    lt_put_varint(writer, site->flags);
    put_pair(maker, site->samples);
    put_pair(maker, site->live_variance);
    put_pair(maker, site->alloc_variance);
}

/* In one section. */
static void write_samples(struct lt_maker *maker) {
    uint32_t rows = 0, last_node = 0;
    if (!maker->sampling)
        return;
    lt_rows_begin(&maker->writer, LT_SECTION_SAMPLES, 0, true, maker->sampling);
    for (size_t i = 0; i < maker->site_count; i++) {
        const struct lt_make_site *site = &maker->sites[i];
        if (!site->samples.count && !site->samples.bytes)
            continue;
        put_sample(maker, site, last_node);
        last_node = site->node;
        rows++;
    }
    lt_maker_check(maker, lt_rows_end(&maker->writer, rows));
}

static void write_future(struct lt_maker *maker) {
    if (!maker->future)
        return;
    lt_section_begin(&maker->writer, (enum lt_section_type)LT_MAKE_FUTURE, 0);
    lt_put_bytes(&maker->writer, "not for you", 11);
    lt_maker_check(maker, lt_section_end(&maker->writer));
    maker->future = false;
}

void lt_maker_write_snapshot(struct lt_maker *maker) {
    struct lt_writer *writer = &maker->writer;
    if (!maker->open)
        return;
    sum_totals(maker);
    if (maker->site_count)
        qsort(maker->sites, maker->site_count, sizeof *maker->sites, by_node);
    if (maker->block_count)
        qsort(maker->blocks, maker->block_count, sizeof *maker->blocks, by_address);
    write_dictionaries(maker);
    lt_snapshot_begin(writer);
    lt_section_begin(writer, LT_SECTION_SNAPSHOT, LT_SECTION_CRITICAL);
    lt_put_varint(writer, maker->index);
    lt_put_varint(writer, maker->wall);
    lt_put_varint(writer, maker->time);
    lt_put_varint(writer, maker->trigger);
    lt_put_varint(writer, maker->flags);
    write_totals(maker);
    lt_maker_check(maker, lt_section_end(writer));
    lt_maker_write_rows(maker, LT_SECTION_SITES, LT_SECTION_CRITICAL, 0, maker->site_count, put_site);
    write_samples(maker);
    lt_maker_write_rows(maker, LT_SECTION_BLOCKS, 0, 0, maker->block_count, put_block);
    lt_maker_write_rows(maker, LT_SECTION_COUNTERS, 0, 0, maker->counter_count, put_counter);
    lt_maker_write_resources(maker);
    write_future(maker);
    lt_maker_check(maker, lt_write_end(writer, maker->index));
    maker->site_count = maker->block_count = maker->counter_count = 0;
    memset(maker->totals, 0, sizeof maker->totals);
    maker->open = false;
}

void lt_maker_thin(struct lt_maker *maker, uint64_t index) {
    const size_t head_size = sizeof(struct lt_section_head);
    struct lt_section_head head;
    bool inside = false;
    for (size_t at = sizeof maker->header; at < maker->made.size; at += head_size + (head.length + 7) / 8 * 8) {
        uint8_t *section = maker->made.bytes + at;
        memcpy(&head, section, head_size);
        if (head.type == LT_SECTION_SNAPSHOT) /* an index below 128 is the payload's first byte */
            inside = section[head_size] == index;
        if (!inside || head.type == LT_SECTION_MODULES || head.type == LT_SECTION_NODES ||
            head.type == LT_SECTION_UNLOADS)
            continue;
        inside = head.type != LT_SECTION_END;
        const struct lt_section_head hole = lt_hole_head(head.length);
        memcpy(section, &hole, head_size);
        memset(section + head_size, 0, head.length);
    }
}

void lt_maker_clear(struct lt_maker *maker) {
    HASH_CLEAR(hh, maker->nodes);
    for (size_t id = 1; id <= maker->node_count; id++)
        free(maker->by_id[id]);
    free(maker->by_id);
    free(maker->sites);
    free(maker->blocks);
    for (size_t i = 0; i < LT_MAKE_RESOURCES; i++)
        free(maker->resources[i].rows);
}
