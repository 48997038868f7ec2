/* DESCRIPTORS, MAPPINGS, THREADS and MISUSES: docs/dump-format.md. A section has rows, or is not there. */
#include "track/picture_parts.h"

#include "base/varint.h"
#include "os/arena.h"
#include "os/file.h"
#include "os/socket_list.h"
#include "track/misuses.h"
#include "track/stacks.h"
#include "track/thread.h"

#include <string.h>

enum { ROW_MAX = LT_PATH_MAX + 4 * LT_SOCKET_ADDRESS + 512 };

/* Rows of one type, in as many sections as they need. */
struct output {
    const struct lt_picture *picture;
    struct lt_writer *writer;
    enum lt_section_type type;
    uint32_t rows;   /* of the open section; 0: none is open */
    uint64_t before; /* number or end of the row before */
    int status;
};

static struct output output(const struct lt_picture *picture, struct lt_writer *writer, enum lt_section_type type) {
    return (struct output){.picture = picture, .writer = writer, .type = type};
}

static void next_row(struct output *out) {
    if (out->rows && lt_rows_full(out->writer, ROW_MAX)) {
        out->status = out->status ? out->status : lt_rows_end(out->writer, out->rows);
        out->rows = 0;
    }
    if (out->rows++ == 0) {
        lt_rows_begin(out->writer, out->type, 0, false, 0);
        out->before = 0;
    }
}

static int finish(struct output *out) {
    return out->rows && out->status == 0 ? lt_rows_end(out->writer, out->rows) : out->status;
}

static const char *text_at(const struct output *out, uint32_t text) {
    return text ? lt_vector_at(&out->picture->texts, text) : "";
}

static void put_text(struct output *out, uint32_t text) {
    const char *bytes = text_at(out, text);
    lt_put_bytes(out->writer, bytes, strlen(bytes));
}

/* The site (a number) as node, kind and flags; zeros for one that is not this process's, or not in the dump. */
static void put_site(struct lt_writer *writer, uint32_t number, uint32_t birth, bool with_kind) {
    const struct lt_site *site = lt_inherited(number) ? NULL : lt_site_at(number);
    const struct lt_node *node = site ? lt_arena_at(site->node) : NULL;
    const bool known = node && (node->parent == 0 || node->dump_id);
    lt_put_varint(writer, known ? node->dump_id : 0);
    if (with_kind)
        lt_put_varint(writer, known ? site->kind : 0);
    lt_put_varint(writer, known ? site->flags : 0);
    if (with_kind)
        lt_put_varint(writer, known ? birth : 0);
}

static void put_holder(struct output *out, const struct lt_holding *holding) {
    put_site(out->writer, holding->site, holding->birth, true);
}

/* ---- details ---- */

struct detail {
    enum lt_detail field;
    bool present;
    uint64_t number; /* of a text: its offset */
};

static bool is_text(enum lt_detail field) {
    return field == LT_DETAIL_PROTOCOL || field == LT_DETAIL_STATE || field == LT_DETAIL_LOCAL ||
           field == LT_DETAIL_PEER || field == LT_DETAIL_NOTE;
}

static void put_details(struct output *out, const struct detail *details, unsigned count) {
    unsigned present = 0;
    for (unsigned i = 0; i < count; i++)
        present += details[i].present;
    lt_put_varint(out->writer, present);
    for (unsigned i = 0; i < count; i++) {
        uint8_t bytes[LT_VARINT_MAX];
        if (!details[i].present)
            continue;
        lt_put_varint(out->writer, details[i].field);
        if (is_text(details[i].field))
            put_text(out, (uint32_t)details[i].number);
        else
            lt_put_bytes(out->writer, bytes, lt_varint_put(bytes, details[i].number));
    }
}

/* ---- rows ---- */

static void put_descriptor_details(struct output *out, const struct lt_descriptor_row *row) {
    const struct detail details[] = {
        {LT_DETAIL_INODE, row->inode != 0, row->inode},
        {LT_DETAIL_PROTOCOL, row->protocol != 0, row->protocol},
        {LT_DETAIL_STATE, row->state != 0, row->state},
        {LT_DETAIL_LOCAL, row->local != 0, row->local},
        {LT_DETAIL_PEER, row->peer != 0, row->peer},
        {LT_DETAIL_RECEIVE, row->has_socket, row->receive},
        {LT_DETAIL_SEND, row->has_socket, row->send},
        {LT_DETAIL_MEMORY, row->memory != 0, row->memory},
        {LT_DETAIL_POSITION, row->has_position, row->position},
        {LT_DETAIL_SIZE, row->has_size, row->size},
        {LT_DETAIL_WATCHES, row->watches != 0, row->watches},
        {LT_DETAIL_NOTE, row->note != 0, row->note},
    };
    put_details(out, details, sizeof details / sizeof details[0]);
}

static int write_descriptors(const struct lt_picture *picture, struct lt_writer *writer) {
    struct output out = output(picture, writer, LT_SECTION_DESCRIPTORS);
    for (uint32_t i = 0; i < picture->descriptors.count; i++) {
        const struct lt_descriptor_row *row = lt_vector_at(&picture->descriptors, i);
        if (!row->kind)
            continue;
        next_row(&out);
        lt_put_varint(writer, (uint64_t)row->fd - out.before);
        lt_put_varint(writer, row->kind);
        lt_put_varint(writer, row->origin);
        lt_put_varint(writer, row->flags);
        put_holder(&out, &row->holding);
        put_text(&out, row->target);
        put_descriptor_details(&out, row);
        out.before = (uint64_t)row->fd;
    }
    return finish(&out);
}

static int write_mappings(const struct lt_picture *picture, struct lt_writer *writer) {
    struct output out = output(picture, writer, LT_SECTION_MAPPINGS);
    for (uint32_t i = 0; i < picture->mappings.count; i++) {
        const struct lt_mapping_row *row = lt_vector_at(&picture->mappings, i);
        next_row(&out);
        lt_put_varint(writer, row->start - out.before);
        lt_put_varint(writer, row->end - row->start);
        lt_put_varint(writer, row->protection);
        lt_put_varint(writer, row->mapping_class);
        lt_put_varint(writer, row->origin);
        lt_put_varint(writer, row->flags);
        put_holder(&out, &row->holding);
        lt_put_varint(writer, row->offset);
        put_text(&out, row->path);
        put_details(&out, &(struct detail){LT_DETAIL_RESIDENT, row->has_resident, row->resident}, 1);
        out.before = row->end;
    }
    return finish(&out);
}

static bool is_shown(const struct lt_thread_row *row) {
    return row->origin != LT_ORIGIN_UNATTRIBUTED || row->flags;
}

static int write_threads(const struct lt_picture *picture, struct lt_writer *writer) {
    static const char note[] = "has left";
    struct output out = output(picture, writer, LT_SECTION_THREADS);
    for (uint32_t i = 0; i < picture->threads.count; i++) {
        const struct lt_thread_row *row = lt_vector_at(&picture->threads, i);
        if (!is_shown(row))
            continue;
        next_row(&out);
        lt_put_varint(writer, (uint64_t)row->tid);
        lt_put_varint(writer, row->origin);
        lt_put_varint(writer, row->flags);
        put_holder(&out, &row->holding);
        lt_put_varint(writer, row->stack_size);
        put_text(&out, row->name);
        lt_put_varint(writer, row->has_left);
        if (row->has_left) {
            lt_put_varint(writer, LT_DETAIL_NOTE);
            lt_put_bytes(writer, note, sizeof note - 1);
        }
    }
    return finish(&out);
}

static int write_misuses(const struct lt_picture *picture, struct lt_writer *writer) {
    struct output out = output(picture, writer, LT_SECTION_MISUSES);
    struct lt_misuse misuse;
    for (uint32_t i = 0; lt_misuse_row(i, &misuse); i++) {
        if (!misuse.what)
            continue;
        next_row(&out);
        lt_put_varint(writer, misuse.what);
        lt_put_varint(writer, misuse.count);
        lt_put_varint(writer, (uint32_t)misuse.last_fd);
        put_site(writer, misuse.site, 0, false);
        put_site(writer, misuse.opener, 0, true);
    }
    return finish(&out);
}

int lt_picture_write_rows(const struct lt_picture *picture, struct lt_writer *writer) {
    int status = write_descriptors(picture, writer);
    if (status == 0 && lt_picture_shows(picture, LT_KIND_MAPPING))
        status = write_mappings(picture, writer);
    if (status == 0 && lt_picture_shows(picture, LT_KIND_THREAD))
        status = write_threads(picture, writer);
    return status == 0 ? write_misuses(picture, writer) : status;
}
