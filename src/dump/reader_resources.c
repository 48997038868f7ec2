/* The payloads of the resources other than heap blocks. The same shape as in reader_rows.c; what their rows share
 * (holder, details) is read by one function each. */
#include "dump/reader_cursor.h"
#include "dump/reader_rows.h"

/* The least bytes that one row takes. */
enum {
    DETAIL_MIN = 2,
    DESCRIPTOR_MIN = 10,
    MAPPING_MIN = 13,
    THREAD_MIN = 10,
    MISUSE_MIN = 9,
};

static struct lt_dump_holder read_holder(struct lt_cursor *cursor, const struct lt_dump *dump) {
    struct lt_dump_holder holder;
    holder.node = lt_cursor_node(cursor, dump);
    holder.site_kind = lt_cursor_below(cursor, LT_KIND_END, "has a site of a kind that this reader does not know");
    holder.site_flags = lt_cursor_get32(cursor);
    holder.birth_cs = lt_cursor_get32(cursor);
    return holder;
}

static uint32_t read_origin(struct lt_cursor *cursor) {
    return lt_cursor_below(cursor, LT_ORIGIN_END, "is of an origin that this reader does not know");
}

/* Where the number of a field goes, or NULL. */
static uint64_t *number_of(struct lt_dump_details *details, uint64_t field) {
    switch (field) {
    case LT_DETAIL_INODE:
        return &details->inode;
    case LT_DETAIL_RECEIVE:
        return &details->receive;
    case LT_DETAIL_SEND:
        return &details->send;
    case LT_DETAIL_MEMORY:
        return &details->memory;
    case LT_DETAIL_POSITION:
        return &details->position;
    case LT_DETAIL_SIZE:
        return &details->size;
    case LT_DETAIL_WATCHES:
        return &details->watches;
    case LT_DETAIL_RESIDENT:
        return &details->resident;
    default:
        return NULL;
    }
}

/* Likewise its text. */
static const char **text_of(struct lt_dump_details *details, uint64_t field) {
    switch (field) {
    case LT_DETAIL_PROTOCOL:
        return &details->protocol;
    case LT_DETAIL_STATE:
        return &details->state;
    case LT_DETAIL_LOCAL:
        return &details->local;
    case LT_DETAIL_PEER:
        return &details->peer;
    case LT_DETAIL_NOTE:
        return &details->note;
    default:
        return NULL;
    }
}

/* `value` is the bytes of the field; those of a later minor version are skipped. */
static void read_detail(struct lt_cursor *value, struct lt_dump *dump, struct lt_dump_details *details,
                        uint64_t field) {
    uint64_t *number = number_of(details, field);
    const char **text = text_of(details, field);
    if (number)
        *number = lt_cursor_get(value);
    else if (text)
        *text = lt_cursor_rest(value, dump);
}

static void read_details(struct lt_cursor *cursor, struct lt_dump *dump, struct lt_dump_details *details) {
    const uint64_t none = LT_NO_NUMBER;
    *details = (struct lt_dump_details){"", "", "", "", "", none, none, none, none, none, none, none, none};
    for (size_t left = lt_cursor_count(cursor, DETAIL_MIN); left && !cursor->failure; left--) {
        const uint64_t field = lt_cursor_get(cursor);
        size_t size;
        const uint8_t *bytes = lt_cursor_bytes(cursor, &size);
        if (cursor->failure)
            return;
        struct lt_cursor value = lt_cursor(bytes, size);
        read_detail(&value, dump, details, field);
        cursor->no_memory |= value.no_memory;
        if (value.failure)
            lt_cursor_fail(cursor, value.failure);
    }
}

/* `before` is the number of the row before. */
static void read_descriptor(struct lt_cursor *cursor, struct lt_dump *dump, struct lt_dump_descriptor *row,
                            uint32_t before) {
    row->fd = (uint32_t)lt_cursor_step(cursor, before, (uint64_t)UINT32_MAX + 1, "has a descriptor above 32 bits");
    row->kind = lt_cursor_kind(cursor);
    row->origin = read_origin(cursor);
    row->flags = lt_cursor_get32(cursor);
    row->holder = read_holder(cursor, dump);
    row->target = lt_cursor_text(cursor, dump);
    read_details(cursor, dump, &row->details);
}

void lt_read_descriptors(struct lt_rows *rows, struct lt_cursor *cursor) {
    struct lt_dump_snapshot *snapshot = &rows->snapshot;
    const size_t count = lt_cursor_count(cursor, DESCRIPTOR_MIN);
    uint32_t before = 0;
    if (!lt_cursor_room(cursor, &snapshot->descriptors, &rows->descriptor_room, snapshot->descriptor_count, count,
                        sizeof *snapshot->descriptors))
        return;
    while (cursor->row < count) {
        cursor->row++;
        struct lt_dump_descriptor *row = &snapshot->descriptors[snapshot->descriptor_count];
        read_descriptor(cursor, rows->dump, row, before);
        if (lt_unlikely(cursor->failure != NULL))
            return;
        before = row->fd;
        snapshot->descriptor_count++;
    }
}

/* `before` is the end of the row before. */
static void read_mapping(struct lt_cursor *cursor, struct lt_dump *dump, struct lt_dump_mapping *row, uint64_t before) {
    static const char too_high[] = "has an address above 64 bits";
    row->start = lt_cursor_step(cursor, before, UINT64_MAX, too_high);
    row->length = lt_cursor_step(cursor, row->start, UINT64_MAX, too_high) - row->start;
    row->protection = lt_cursor_get32(cursor);
    row->mapping_class =
        lt_cursor_below(cursor, LT_MAPPING_CLASS_END, "is of a class of mappings that this reader does not know");
    row->origin = read_origin(cursor);
    row->flags = lt_cursor_get32(cursor);
    row->holder = read_holder(cursor, dump);
    row->offset = lt_cursor_get(cursor);
    row->path = lt_cursor_text(cursor, dump);
    read_details(cursor, dump, &row->details);
}

void lt_read_mappings(struct lt_rows *rows, struct lt_cursor *cursor) {
    struct lt_dump_snapshot *snapshot = &rows->snapshot;
    const size_t count = lt_cursor_count(cursor, MAPPING_MIN);
    uint64_t before = 0;
    if (!lt_cursor_room(cursor, &snapshot->mappings, &rows->mapping_room, snapshot->mapping_count, count,
                        sizeof *snapshot->mappings))
        return;
    while (cursor->row < count) {
        cursor->row++;
        struct lt_dump_mapping *row = &snapshot->mappings[snapshot->mapping_count];
        read_mapping(cursor, rows->dump, row, before);
        if (lt_unlikely(cursor->failure != NULL))
            return;
        before = row->start + row->length;
        snapshot->mapping_count++;
    }
}

static void read_thread(struct lt_cursor *cursor, struct lt_dump *dump, struct lt_dump_thread *row) {
    row->tid = lt_cursor_get32(cursor);
    row->origin = read_origin(cursor);
    row->flags = lt_cursor_get32(cursor);
    row->holder = read_holder(cursor, dump);
    row->stack_size = lt_cursor_get(cursor);
    row->name = lt_cursor_text(cursor, dump);
    read_details(cursor, dump, &row->details);
}

void lt_read_threads(struct lt_rows *rows, struct lt_cursor *cursor) {
    struct lt_dump_snapshot *snapshot = &rows->snapshot;
    const size_t count = lt_cursor_count(cursor, THREAD_MIN);
    if (!lt_cursor_room(cursor, &snapshot->threads, &rows->thread_room, snapshot->thread_count, count,
                        sizeof *snapshot->threads))
        return;
    while (cursor->row < count) {
        cursor->row++;
        read_thread(cursor, rows->dump, &snapshot->threads[snapshot->thread_count]);
        if (lt_unlikely(cursor->failure != NULL))
            return;
        snapshot->thread_count++;
    }
}

static void read_misuse(struct lt_cursor *cursor, struct lt_dump *dump, struct lt_dump_misuse *row) {
    static const char unknown[] = "is of a misuse that this reader does not know";
    row->what = lt_cursor_below(cursor, LT_MISUSE_END, unknown);
    if (lt_unlikely(row->what == 0))
        lt_cursor_fail(cursor, unknown);
    row->count = lt_cursor_get(cursor);
    row->fd = lt_cursor_get32(cursor);
    row->node = lt_cursor_node(cursor, dump);
    row->site_flags = lt_cursor_get32(cursor);
    row->opener = read_holder(cursor, dump);
}

void lt_read_misuses(struct lt_rows *rows, struct lt_cursor *cursor) {
    struct lt_dump_snapshot *snapshot = &rows->snapshot;
    const size_t count = lt_cursor_count(cursor, MISUSE_MIN);
    if (!lt_cursor_room(cursor, &snapshot->misuses, &rows->misuse_room, snapshot->misuse_count, count,
                        sizeof *snapshot->misuses))
        return;
    while (cursor->row < count) {
        cursor->row++;
        read_misuse(cursor, rows->dump, &snapshot->misuses[snapshot->misuse_count]);
        if (lt_unlikely(cursor->failure != NULL))
            return;
        snapshot->misuse_count++;
    }
}
