/* The payloads: from the bytes of one section to rows of struct lt_dump. What a section is, whether its CRC holds and
 * which snapshot it belongs to is reader.c's business. */
#ifndef LT_DUMP_READER_ROWS_H
#define LT_DUMP_READER_ROWS_H

#include "dump/reader.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Reads forward and never past `end`. After a failure nothing is left to read and every number is 0. */
struct lt_cursor {
    const uint8_t *at, *end;
    uint64_t row;        /* at hand, from 1; 0 = in front of the rows */
    const char *failure; /* what is wrong with that row, a static string; NULL = nothing so far */
    bool no_memory;      /* the failure is ours, not the file's */
};

struct lt_cursor lt_cursor(const void *bytes, size_t size);
uint64_t lt_cursor_get(struct lt_cursor *); /* a varint */
void lt_cursor_fail(struct lt_cursor *, const char *failure);

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

#endif
