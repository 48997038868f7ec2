/* The payloads: from the bytes of one section to rows of struct lt_dump. What a section is, whether its CRC holds and
 * which snapshot it belongs to is reader.c's business. */
#ifndef LT_DUMP_READER_ROWS_H
#define LT_DUMP_READER_ROWS_H

#include "dump/reader.h"
#include "dump/reader_cursor.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A growing list that ends with a NULL; `items` is NULL before the first. */
struct lt_texts {
    const char **items;
    size_t count, room;
};

/* Where rows go, and how much room each array has. `snapshot` is the one being read; it moves into dump->snapshots when
 * its END holds. */
struct lt_rows {
    struct lt_dump *dump;
    struct lt_dump_snapshot snapshot;
    struct lt_texts args, options, notes;       /* move into dump->process at the end */
    size_t module_room, node_room;              /* of dump */
    size_t site_room, block_room, counter_room; /* of snapshot */
    size_t sample_room;
    size_t descriptor_room, mapping_room, thread_room, misuse_room;
};

/* Each reads one payload and appends its rows. A failure is left in the cursor; rows read before it stay. Sections that
 * belong to a snapshot refer only to dictionary rows that stand before them in the file. */
void lt_read_process(struct lt_rows *, struct lt_cursor *);
void lt_read_modules(struct lt_rows *, struct lt_cursor *);
void lt_read_unloads(struct lt_rows *, struct lt_cursor *);
void lt_read_nodes(struct lt_rows *, struct lt_cursor *);
void lt_read_snapshot(struct lt_rows *, struct lt_cursor *);
void lt_read_sites(struct lt_rows *, struct lt_cursor *);
void lt_read_blocks(struct lt_rows *, struct lt_cursor *);
void lt_read_counters(struct lt_rows *, struct lt_cursor *);
void lt_read_samples(struct lt_rows *, struct lt_cursor *);
void lt_read_descriptors(struct lt_rows *, struct lt_cursor *);
void lt_read_mappings(struct lt_rows *, struct lt_cursor *);
void lt_read_threads(struct lt_rows *, struct lt_cursor *);
void lt_read_misuses(struct lt_rows *, struct lt_cursor *);

#endif
