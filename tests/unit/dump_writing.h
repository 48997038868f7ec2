/* What the tests of the dump file write into it: real snapshots of a chosen size by the real writer, with dictionaries
 * that grow, and what the real reader finds. */
#ifndef LT_TESTS_DUMP_WRITING_H
#define LT_TESTS_DUMP_WRITING_H

#include "dump/format.h"
#include "dump/reader.h"
#include "dump/writer.h"
#include "os/proc.h"
#include "os/task.h"
#include "track/dump_file.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* One program's writing: what snapshot.c keeps. */
struct writing {
    struct lt_dump_file *file;
    uint32_t generation, index, nodes, nodes_committed;
    struct lt_writer writer;
    uint64_t buffer[1 << 13];
};

static inline void write_header(struct writing *w, uint32_t pid, uint64_t start_ticks) {
    struct lt_dump_header header = {.pid = pid, .start_ticks = start_ticks, .control_fd = UINT32_MAX};
    (void)!lt_write_header(&w->writer, &header);
    lt_section_begin(&w->writer, LT_SECTION_PROCESS, LT_SECTION_CRITICAL);
    (void)!lt_section_end(&w->writer);
    w->nodes = w->nodes_committed = 0;
}

static inline void write_node(struct writing *w) {
    lt_rows_begin(&w->writer, LT_SECTION_NODES, LT_SECTION_CRITICAL, true, ++w->nodes);
    lt_put_varint(&w->writer, 1); /* child of the one before */
    lt_put_varint(&w->writer, 0);
    lt_put_svarint(&w->writer, w->nodes);
    (void)!lt_rows_end(&w->writer, 1);
}

/* Counters with long names, that don't compress. */
static inline void write_filler(struct writing *w, size_t bytes) {
    char name[512];
    unsigned random = w->index * 2654435761u;
    while (bytes >= sizeof name) {
        uint32_t rows = 0;
        lt_rows_begin(&w->writer, LT_SECTION_COUNTERS, 0, false, 0);
        for (; bytes >= sizeof name && !lt_rows_full(&w->writer, sizeof name + 32); bytes -= sizeof name, rows++) {
            for (size_t i = 0; i < sizeof name; i++)
                name[i] = (char)('a' + (random = random * 1103515245u + 12345u) / 65536 % 26);
            lt_put_varint(&w->writer, LT_COUNTER_STATISTICS);
            lt_put_bytes(&w->writer, name, sizeof name);
            lt_put_varint(&w->writer, w->index);
        }
        (void)!lt_rows_end(&w->writer, rows);
    }
}

enum dictionary { NO_NEW_NODE, NODE_BEFORE, NODE_INSIDE };

static inline void write_body(struct writing *w, size_t bytes, enum dictionary dictionary) {
    if (dictionary == NODE_BEFORE)
        write_node(w);
    lt_snapshot_begin(&w->writer);
    lt_section_begin(&w->writer, LT_SECTION_SNAPSHOT, LT_SECTION_CRITICAL);
    lt_put_varint(&w->writer, ++w->index);
    for (int field = 0; field < 5; field++)
        lt_put_varint(&w->writer, 1);
    lt_put_varint(&w->writer, LT_KIND_HEAP);
    for (int field = 0; field < 8; field++)
        lt_put_varint(&w->writer, 0);
    (void)!lt_section_end(&w->writer);
    if (dictionary == NODE_INSIDE)
        write_node(w);
    write_filler(w, bytes);
}

/* Begins the file if need be and writes a snapshot of about `bytes`; leaves it open. */
static inline int write_open_snapshot(struct writing *w, size_t bytes, enum dictionary dictionary, bool last) {
    int status = lt_dump_file_begin(w->file, last);
    if (status)
        return status;
    lt_writer_init(&w->writer, lt_dump_file_append, w->file, w->buffer, sizeof w->buffer);
    if (!w->file->header_written)
        write_header(w, (uint32_t)lt_getpid(), lt_proc_start_ticks(0));
    w->generation = w->file->generation;
    write_body(w, bytes, dictionary);
    return w->writer.status;
}

static inline int write_snapshot(struct writing *w, size_t bytes, enum dictionary dictionary, bool last) {
    int status = write_open_snapshot(w, bytes, dictionary, last);
    if (!status)
        status = lt_write_end(&w->writer, w->index);
    if (status) {
        lt_dump_file_rollback(w->file);
        w->nodes = w->nodes_committed;
        return status;
    }
    lt_dump_file_commit(w->file);
    w->nodes_committed = w->nodes;
    return 0;
}

/* What the reader finds in the file. */
struct finding {
    enum lt_dump_end end;
    size_t snapshots, nodes;
    uint64_t first, last; /* snapshot indices */
    uint64_t indices[4096];
    char reason[160];
};

static inline const struct finding *read_back(const char *path) {
    static struct finding found;
    struct lt_dump dump;
    struct stat st = {0};
    int fd = open(path, O_RDONLY);
    found = (struct finding){.end = LT_DUMP_UNREADABLE, .reason = "no file"};
    if (fd < 0 || fstat(fd, &st) < 0)
        return &found;
    char *bytes = malloc((size_t)st.st_size + 1);
    if (bytes && lt_pread_all(fd, bytes, (size_t)st.st_size, 0) == st.st_size) {
        (void)!lt_dump_parse(&dump, bytes, (size_t)st.st_size);
        found.end = dump.end;
        found.snapshots = dump.snapshot_count;
        found.nodes = dump.node_count - 1;
        memcpy(found.reason, dump.end_reason, sizeof found.reason);
        for (size_t i = 0; i < dump.snapshot_count && i < 4096; i++)
            found.indices[i] = dump.snapshots[i].index;
        if (dump.snapshot_count) {
            found.first = dump.snapshots[0].index;
            found.last = dump.snapshots[dump.snapshot_count - 1].index;
        }
        lt_dump_free(&dump);
    }
    free(bytes);
    close(fd);
    return &found;
}

#endif
