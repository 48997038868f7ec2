/* Walks the sections of a dump and decides what can be used: payloads are read by reader_rows.c and
 * reader_resources.c.
 *
 * Damage is told once, the first place of it, and costs no more than it must:
 *   - a head that fails its CRC, or a cut: nothing behind it can be found, the walk ends;
 *   - rows of a snapshot: that snapshot is dropped, the next one is read;
 *   - MODULES or NODES: every later snapshot may refer to what is lost, so all of them are dropped;
 *   - PROCESS or UNLOADS: nothing else depends on them.
 * A snapshot with a HOLE in it has been thinned on purpose: it is passed over and no damage. */
#include "dump/reader.h"

#include "base/crc32c.h"
#include "dump/reader_memory.h"
#include "dump/reader_rows.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum role {
    ROLE_HOLE,
    ROLE_DICTIONARY, /* stands on its own */
    ROLE_ESSENTIAL,  /* a dictionary that later snapshots can't do without */
    ROLE_BEGIN,
    ROLE_ROWS,
    ROLE_END,
};

/* What this reader knows of a section type; version 0 = nothing. */
struct section_type {
    const char *name;
    uint16_t version;
    enum role role;
    void (*read)(struct lt_rows *, struct lt_cursor *);
};

static const struct section_type section_types[] = {
    [LT_SECTION_HOLE] = {"HOLE", 1, ROLE_HOLE, NULL},
    [LT_SECTION_PROCESS] = {"PROCESS", 1, ROLE_DICTIONARY, lt_read_process},
    [LT_SECTION_MODULES] = {"MODULES", 1, ROLE_ESSENTIAL, lt_read_modules},
    [LT_SECTION_NODES] = {"NODES", 1, ROLE_ESSENTIAL, lt_read_nodes},
    [LT_SECTION_SNAPSHOT] = {"SNAPSHOT", 1, ROLE_BEGIN, lt_read_snapshot},
    [LT_SECTION_SITES] = {"SITES", 1, ROLE_ROWS, lt_read_sites},
    [LT_SECTION_BLOCKS] = {"BLOCKS", 1, ROLE_ROWS, lt_read_blocks},
    [LT_SECTION_COUNTERS] = {"COUNTERS", 1, ROLE_ROWS, lt_read_counters},
    [LT_SECTION_UNLOADS] = {"UNLOADS", 1, ROLE_DICTIONARY, lt_read_unloads},
    [LT_SECTION_END] = {"END", 1, ROLE_END, NULL},
    [LT_SECTION_SAMPLES] = {"SAMPLES", 1, ROLE_ROWS, lt_read_samples},
    [LT_SECTION_DESCRIPTORS] = {"DESCRIPTORS", 1, ROLE_ROWS, lt_read_descriptors},
    [LT_SECTION_MAPPINGS] = {"MAPPINGS", 1, ROLE_ROWS, lt_read_mappings},
    [LT_SECTION_THREADS] = {"THREADS", 1, ROLE_ROWS, lt_read_threads},
    [LT_SECTION_MISUSES] = {"MISUSES", 1, ROLE_ROWS, lt_read_misuses},
};

enum { HEADER_SIZE = sizeof(struct lt_dump_header), HEAD_SIZE = sizeof(struct lt_section_head) };

struct reader {
    struct lt_rows rows; /* rows.dump and the snapshot being read */
    const uint8_t *bytes;
    size_t size, offset; /* of the file; of the section at hand */
    struct lt_section_head head;
    uint64_t last_index;    /* of the last SNAPSHOT, whatever became of it; 0 = none yet */
    size_t snapshot_room;   /* of dump->snapshots */
    bool open;              /* between SNAPSHOT and END */
    bool usable;            /* of the open one: no hole, no damage */
    bool thinned;           /* of the open one: a hole in it */
    size_t start;           /* of the open one, and what its END must say of it */
    uint32_t sections, crc; /* likewise */
    bool pending;           /* sections that only a later END gives a meaning */
    bool dictionary_lost, refused, no_memory;
};

static const char *no_texts[1]; /* the empty argv */

/* Keeps the first reason only. */
__attribute__((format(printf, 2, 3))) static void tell(struct reader *reader, const char *format, ...) {
    struct lt_dump *dump = reader->rows.dump;
    va_list args;
    if (dump->end_reason[0])
        return;
    va_start(args, format);
    vsnprintf(dump->end_reason, sizeof dump->end_reason, format, args);
    va_end(args);
}

/* "snapshot 3 is cut: ", "the file is cut after snapshot 3: " */
struct where {
    char text[64];
};

static struct where where(const struct reader *reader, const char *what) {
    struct where w;
    const unsigned long long index = reader->last_index;
    if (reader->open)
        snprintf(w.text, sizeof w.text, "snapshot %llu is %s", index, what);
    else if (index)
        snprintf(w.text, sizeof w.text, "the file is %s after snapshot %llu", what, index);
    else
        snprintf(w.text, sizeof w.text, "the file is %s", what);
    return w;
}

/* The type at hand, or NULL where this reader can't read it. */
static const struct section_type *known_type(const struct lt_section_head *head) {
    if (head->type >= sizeof section_types / sizeof section_types[0])
        return NULL;
    const struct section_type *type = &section_types[head->type];
    return head->version && head->version <= type->version ? type : NULL;
}

static void free_snapshot(struct lt_dump_snapshot *snapshot) {
    free(snapshot->sites);
    free(snapshot->blocks);
    free(snapshot->counters);
    free(snapshot->samples);
    free(snapshot->descriptors);
    free(snapshot->mappings);
    free(snapshot->threads);
    free(snapshot->misuses);
    *snapshot = (struct lt_dump_snapshot){0};
}

static void close_snapshot(struct reader *reader) {
    struct lt_rows *rows = &reader->rows;
    free_snapshot(&rows->snapshot);
    rows->site_room = rows->block_room = rows->counter_room = rows->sample_room = 0;
    rows->descriptor_room = rows->mapping_room = rows->thread_room = rows->misuse_room = 0;
    reader->open = false;
}

/* Reads the payload at hand; false, with the reason told, where that fails. */
static bool read_payload(struct reader *reader, const struct section_type *type) {
    const uint8_t *payload = reader->bytes + reader->offset + HEAD_SIZE;
    const size_t length = (size_t)reader->head.length;
    const char *loss = type->role == ROLE_ESSENTIAL ? ", later snapshots need it" : "";
    if (lt_crc32c(0, payload, length) != reader->head.payload_crc) {
        tell(reader, "%s: section %s at byte %zu fails its CRC%s", where(reader, "damaged").text, type->name,
             reader->offset, loss);
        return false;
    }
    if (!type->read)
        return true;
    struct lt_cursor cursor = lt_cursor(payload, length);
    type->read(&reader->rows, &cursor);
    reader->no_memory |= cursor.no_memory;
    if (cursor.failure) {
        char row[32] = "";
        if (cursor.row)
            snprintf(row, sizeof row, ", row %llu", (unsigned long long)cursor.row);
        tell(reader, "%s: section %s at byte %zu%s %s%s", where(reader, "malformed").text, type->name, reader->offset,
             row, cursor.failure, loss);
    }
    return !cursor.failure;
}

static void begin_snapshot(struct reader *reader, const struct section_type *type) {
    close_snapshot(reader); /* one without an END: the writer gave it up */
    reader->thinned = false;
    reader->start = reader->offset;
    reader->sections = reader->crc = 0;
    reader->pending = true;
    const bool whole = read_payload(reader, type);
    if (whole)
        reader->last_index = reader->rows.snapshot.index;
    reader->usable = whole && !reader->dictionary_lost;
    reader->open = true;
}

/* Whether END, at hand, closes just what was read. */
static bool end_matches(struct reader *reader) {
    struct lt_cursor cursor = lt_cursor(reader->bytes + reader->offset + HEAD_SIZE, (size_t)reader->head.length);
    const uint64_t index = lt_cursor_get(&cursor), sections = lt_cursor_get(&cursor);
    const uint64_t length = lt_cursor_get(&cursor), crc = lt_cursor_get(&cursor);
    if (!cursor.failure && index == reader->rows.snapshot.index && sections == reader->sections + 1u &&
        length == reader->offset - reader->start && crc == reader->crc)
        return true;
    tell(reader, "%s: its END at byte %zu does not match its sections", where(reader, "damaged").text, reader->offset);
    return false;
}

static void keep_snapshot(struct reader *reader) {
    struct lt_dump *dump = reader->rows.dump;
    if (lt_dump_grow(&dump->snapshots, &reader->snapshot_room, dump->snapshot_count + 1, sizeof *dump->snapshots)) {
        reader->no_memory = true;
        return;
    }
    dump->snapshots[dump->snapshot_count++] = reader->rows.snapshot;
    reader->rows.snapshot = (struct lt_dump_snapshot){0};
}

static void end_snapshot(struct reader *reader, const struct section_type *type) {
    reader->pending = false;
    if (!reader->open) /* the rest of a thinned one */
        return;
    if (reader->usable && !reader->thinned && read_payload(reader, type) && end_matches(reader))
        keep_snapshot(reader);
    close_snapshot(reader);
}

/* A section that this reader can't read. */
static void skip_unknown(struct reader *reader) {
    if (!(reader->head.flags & LT_SECTION_CRITICAL))
        return;
    reader->rows.dump->end_reason[0] = 0; /* nothing else counts now */
    reader->refused = true;
    tell(reader, "section type %u version %u at byte %zu needs a newer leaktrack-report (this one reads format %d.%d)",
         reader->head.type, reader->head.version, reader->offset, LT_DUMP_MAJOR, LT_DUMP_MINOR);
}

static void take_section(struct reader *reader) {
    const struct section_type *type = known_type(&reader->head);
    if (!type) {
        skip_unknown(reader);
        return;
    }
    switch (type->role) {
    case ROLE_HOLE:
        reader->thinned = true;
        break;
    case ROLE_DICTIONARY:
        read_payload(reader, type);
        break;
    case ROLE_ESSENTIAL:
        reader->pending = true;
        if (!reader->dictionary_lost && !read_payload(reader, type))
            reader->dictionary_lost = true;
        reader->usable &= !reader->dictionary_lost;
        break;
    case ROLE_BEGIN:
        begin_snapshot(reader, type);
        break;
    case ROLE_ROWS:
        if (reader->open && reader->usable)
            reader->usable = read_payload(reader, type);
        break;
    case ROLE_END:
        end_snapshot(reader, type);
        break;
    }
}

/* Finds the next section; false at the file's end or where nothing more can be found. */
static bool next_section(struct reader *reader) {
    const size_t left = reader->size - reader->offset;
    if (left == 0 || reader->refused || reader->no_memory)
        return false;
    if (left < HEAD_SIZE) {
        tell(reader, "%s: a section head at byte %zu needs %d bytes, the file ends after %zu",
             where(reader, "cut").text, reader->offset, HEAD_SIZE, left);
        return false;
    }
    memcpy(&reader->head, reader->bytes + reader->offset, HEAD_SIZE);
    if (lt_crc32c(0, &reader->head, offsetof(struct lt_section_head, head_crc)) != reader->head.head_crc) {
        tell(reader, "%s: the section head at byte %zu fails its CRC", where(reader, "damaged").text, reader->offset);
        return false;
    }
    if (reader->head.length > left - HEAD_SIZE) {
        const struct section_type *type = known_type(&reader->head);
        tell(reader, "%s: section %s at byte %zu needs %llu bytes, the file ends after %zu", where(reader, "cut").text,
             type ? type->name : "of unknown type", reader->offset, (unsigned long long)reader->head.length + HEAD_SIZE,
             left);
        return false;
    }
    return true;
}

/* No data is lost in the padding, but its zeros show that the file was cut or changed. */
static void check_padding(struct reader *reader, size_t used, size_t padded, size_t left) {
    if (padded > left)
        tell(reader, "%s: the padding of the section at byte %zu is missing", where(reader, "cut").text,
             reader->offset);
    for (size_t at = used; at < padded && at < left; at++)
        if (reader->bytes[reader->offset + at])
            tell(reader, "%s: the padding of the section at byte %zu is not zero", where(reader, "damaged").text,
                 reader->offset);
}

/* Goes behind the section at hand. */
static void step_over(struct reader *reader) {
    const size_t left = reader->size - reader->offset;
    const size_t used = HEAD_SIZE + (size_t)reader->head.length;
    const size_t padded = used + (LT_DUMP_ALIGN - used % LT_DUMP_ALIGN) % LT_DUMP_ALIGN;
    check_padding(reader, used, padded, left);
    if (reader->open) {
        reader->sections++;
        reader->crc = lt_crc32c(reader->crc, &reader->head.head_crc, sizeof reader->head.head_crc);
    }
    reader->offset += padded < left ? padded : left;
}

/* What the first bytes say where they are not a dump's. */
static void tell_foreign(struct reader *reader) {
    if (reader->size == 0)
        tell(reader, "the file is empty");
    else if (memcmp(reader->bytes, LT_DUMP_MAGIC, reader->size < 4 ? reader->size : 4) != 0)
        tell(reader, "not a leaktrack dump: it begins with other bytes");
    else if (reader->size < LT_DUMP_MAGIC_SIZE)
        tell(reader, "the file is cut: the header needs %d bytes, the file ends after %zu", HEADER_SIZE, reader->size);
    else
        tell(reader, "damaged: line ends were changed, as by a copy in text mode");
}

static bool read_header(struct reader *reader) {
    struct lt_dump_header header;
    struct lt_dump_process *process = &reader->rows.dump->process;
    if (reader->size < LT_DUMP_MAGIC_SIZE || memcmp(reader->bytes, LT_DUMP_MAGIC, LT_DUMP_MAGIC_SIZE) != 0) {
        tell_foreign(reader);
        return false;
    }
    if (reader->size < HEADER_SIZE) {
        tell(reader, "the file is cut: the header needs %d bytes, the file ends after %zu", HEADER_SIZE, reader->size);
        return false;
    }
    memcpy(&header, reader->bytes, sizeof header);
    if (header.major != LT_DUMP_MAJOR) {
        tell(reader,
             "format %u.%u can't be read by this leaktrack-report, which reads %d.x: use the one of the same"
             " version as the library",
             header.major, header.minor, LT_DUMP_MAJOR);
        return false;
    }
    if (lt_crc32c(0, &header, offsetof(struct lt_dump_header, crc)) != header.crc || header.header_size < HEADER_SIZE ||
        header.header_size % LT_DUMP_ALIGN || header.header_size > reader->size) {
        tell(reader, "the file is damaged: the header fails its CRC");
        return false;
    }
    process->pid = header.pid;
    process->start_ticks = header.start_ticks;
    process->start_wall_ns = header.start_wall_ns;
    process->control_fd = header.control_fd;
    process->control_inode = header.control_inode;
    reader->offset = header.header_size;
    return true;
}

/* The rows that every reference may name: no module, and the empty stack. */
static void add_zeroth_rows(struct reader *reader) {
    struct lt_rows *rows = &reader->rows;
    struct lt_dump *dump = rows->dump;
    if (lt_dump_grow(&dump->modules, &rows->module_room, 1, sizeof *dump->modules) ||
        lt_dump_grow(&dump->nodes, &rows->node_room, 1, sizeof *dump->nodes)) {
        reader->no_memory = true;
        return;
    }
    dump->modules[dump->module_count++] = (struct lt_dump_module){.path = "", .unload_cs = UINT32_MAX};
    dump->nodes[dump->node_count++] = (struct lt_dump_node){0};
}

static const char **list_of(const struct lt_texts *texts) {
    return texts->items ? texts->items : no_texts;
}

static void free_list(const char **list) {
    if (list != no_texts)
        free(list);
}

static int verdict(struct lt_dump *dump, enum lt_dump_end end) {
    dump->end = end;
    return end == LT_DUMP_UNREADABLE ? -EBADMSG : 0;
}

/* The walk is over: what came of it? */
static int judge(struct reader *reader) {
    struct lt_dump *dump = reader->rows.dump;
    if (reader->open)
        tell(reader, "%s: its END is missing", where(reader, "cut").text);
    else if (reader->pending)
        tell(reader, "%s: the next snapshot is missing", where(reader, "cut").text);
    if (reader->refused)
        return verdict(dump, LT_DUMP_UNREADABLE);
    if (dump->snapshot_count)
        return verdict(dump, dump->end_reason[0] ? LT_DUMP_TRUNCATED : LT_DUMP_COMPLETE);

    char reason[sizeof dump->end_reason];
    memcpy(reason, dump->end_reason, sizeof reason);
    snprintf(dump->end_reason, sizeof dump->end_reason, "no complete snapshot: %.130s",
             reason[0] ? reason : "the file ends before the first one");
    return verdict(dump, LT_DUMP_UNREADABLE);
}

static int read_file(struct reader *reader) {
    if (!read_header(reader))
        return verdict(reader->rows.dump, LT_DUMP_UNREADABLE);
    add_zeroth_rows(reader);
    while (next_section(reader)) {
        take_section(reader);
        step_over(reader);
    }
    const int status = judge(reader);
    close_snapshot(reader);
    return status;
}

int lt_dump_parse(struct lt_dump *dump, const void *bytes, size_t size) {
    struct lt_dump_process *process = &dump->process;
    struct reader reader = {.rows.dump = dump, .bytes = bytes, .size = size};
    *dump = (struct lt_dump){0};
    process->exe = process->host = process->arch = process->library = process->unwinder = "";
    process->control_fd = UINT32_MAX;
    int status = read_file(&reader);
    if (reader.no_memory) {
        dump->end = LT_DUMP_UNREADABLE;
        snprintf(dump->end_reason, sizeof dump->end_reason, "not enough memory to read %zu bytes", size);
        status = -ENOMEM;
    }
    process->argv = list_of(&reader.rows.args);
    process->options = list_of(&reader.rows.options);
    process->notes = list_of(&reader.rows.notes);
    return status;
}

void lt_dump_free(struct lt_dump *dump) {
    for (size_t i = 0; i < dump->snapshot_count; i++)
        free_snapshot(&dump->snapshots[i]);
    free(dump->snapshots);
    free(dump->nodes);
    free(dump->modules);
    free_list(dump->process.argv);
    free_list(dump->process.options);
    free_list(dump->process.notes);
    lt_dump_memory_free(dump->memory);
    *dump = (struct lt_dump){0};
}
