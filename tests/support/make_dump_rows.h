/* What make_dump.c collects from a description and make_dump_rows.c writes. */
#ifndef LT_TESTS_MAKE_DUMP_ROWS_H
#define LT_TESTS_MAKE_DUMP_ROWS_H

#include "base/kind.h"
#include "dump/writer.h"
#include "support/make_dump.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <uthash.h>

enum {
    LT_MAKE_MODULES = 64,
    LT_MAKE_SEGMENTS = 16,
    LT_MAKE_AGES = 32,
    LT_MAKE_FRAMES = 512,
    LT_MAKE_WORDS = 1024,
    LT_MAKE_COUNTERS = 64,
    LT_MAKE_DETAILS = 16
};

enum { LT_MAKE_FUTURE = 200 }; /* a section type and a field of PROCESS that no version has */

struct lt_make_pair {
    uint64_t count, bytes;
};

struct lt_make_module {
    char name[64], path[256];
    uint8_t build_id[32];
    size_t build_id_size, segment_count;
    uint64_t bias, device, inode, size, mtime, load, unload;
    uint64_t segments[LT_MAKE_SEGMENTS][4];
    bool gone, gone_written;
};

struct lt_make_node_key {
    uint32_t parent, module;
    uint64_t offset;
};

struct lt_make_node {
    struct lt_make_node_key key;
    uint32_t id;
    UT_hash_handle hh;
};

struct lt_make_site {
    uint32_t node, kind, flags;
    struct lt_make_pair live, alloc;
    uint64_t first, last;
    uint64_t ages[LT_MAKE_AGES][3];
    size_t age_count;
    struct lt_make_pair samples, live_variance, alloc_variance; /* samples: live/acquired */
};

struct lt_make_block {
    uint64_t address, size, birth;
    uint32_t node, kind, flags;
};

struct lt_make_totals {
    struct lt_make_pair live, alloc, release, inherited;
    bool given, present;
};

struct lt_make_counter {
    uint32_t group;
    char name[128];
    uint64_t value;
};

struct lt_make_holder {
    uint32_t node, kind, flags;
    uint64_t birth;
};

enum lt_make_resource { LT_MAKE_DESCRIPTOR, LT_MAKE_MAPPING, LT_MAKE_THREAD, LT_MAKE_MISUSE, LT_MAKE_RESOURCES };

/* A row of any of them; what the kinds do not share stands in `numbers`, in the order of the format. */
struct lt_make_resource_row {
    uint64_t numbers[5];
    uint64_t origin, flags;
    struct lt_make_holder holder;
    const char *text; /* target, path or name */
    struct {
        int field;
        const char *text; /* or NULL: */
        uint64_t number;
    } details[LT_MAKE_DETAILS];
    size_t detail_count;
};

struct lt_make_resource_rows {
    struct lt_make_resource_row *rows;
    size_t count, room;
};

struct lt_maker {
    struct lt_made_dump made;
    size_t room;
    struct lt_writer writer;
    struct lt_dump_header header;
    size_t line; /* of the description, for messages */
    char *words[LT_MAKE_WORDS + 1];
    /* dictionaries, and how much of them is written */
    struct lt_make_module modules[LT_MAKE_MODULES];
    size_t module_count, modules_written;
    struct lt_make_node *nodes, **by_id; /* by_id[1 .. node_count] */
    size_t node_count, nodes_written, node_room;
    /* the snapshot being collected */
    bool open, future;
    uint64_t index, wall, time, trigger, flags, sampling;
    struct lt_make_totals totals[LT_KIND_END];
    struct lt_make_site *sites;
    size_t site_count, site_room;
    struct lt_make_block *blocks;
    size_t block_count, block_room;
    struct lt_make_counter counters[LT_MAKE_COUNTERS];
    size_t counter_count;
    struct lt_make_resource_rows resources[LT_MAKE_RESOURCES];
};

#define LT_MAKER_FAIL(maker, ...)                                                                                      \
    do {                                                                                                               \
        fprintf(stderr, "make_dump: line %zu: ", (maker)->line);                                                       \
        fprintf(stderr, __VA_ARGS__);                                                                                  \
        fputc('\n', stderr);                                                                                           \
        abort();                                                                                                       \
    } while (0)

/* Words of statements. */

/* The part behind "name=", or NULL when `word` is about something else. */
const char *lt_maker_value_of(const char *word, const char *name);
uint64_t lt_maker_number(struct lt_maker *, const char *text);
uint32_t lt_maker_kind(struct lt_maker *, const char *word);
void lt_maker_unknown(struct lt_maker *, const char *word);

/* One row of a statement's table of "name=number" words; the table ends with an empty one. */
struct lt_make_slot {
    const char *name;
    uint64_t *value;
};
bool lt_maker_take_number(struct lt_maker *, const char *word, const struct lt_make_slot *);

/* The node of the frames at *words; leaves *words at the first word that is no frame. */
uint32_t lt_maker_take_stack(struct lt_maker *, char ***words);

/* make_dump_resources.c: statements, and the sections that their rows become. */
void lt_maker_do_descriptor(struct lt_maker *, char **words);
void lt_maker_do_mapping(struct lt_maker *, char **words);
void lt_maker_do_thread(struct lt_maker *, char **words);
void lt_maker_do_misuse(struct lt_maker *, char **words);
void lt_maker_write_resources(struct lt_maker *);

/* Rows that may spread over several sections; `put` writes row `i` of `count`, `first` tells a section's first. */
void lt_maker_write_rows(struct lt_maker *, enum lt_section_type, uint16_t flags, size_t first_id, size_t count,
                         void (*put)(struct lt_maker *, size_t i, bool first));

/* `items` with room for `count`, moved if need be. */
void *lt_maker_grown(struct lt_maker *, void *items, size_t *room, size_t count, size_t size);

/* The id of the node `key`, a new one if need be. */
uint32_t lt_maker_intern(struct lt_maker *, const struct lt_make_node_key *key);

/* The sink of the writer; its context is the maker. */
int lt_maker_collect(void *context, const void *bytes, size_t size);

/* Aborts unless `status` is 0. */
void lt_maker_check(struct lt_maker *, int status);

/* Writes the snapshot that is being collected, if any. */
void lt_maker_write_snapshot(struct lt_maker *);

/* Turns the sections of the written snapshot `index`, from SNAPSHOT to END but dictionaries, into holes. */
void lt_maker_thin(struct lt_maker *, uint64_t index);

/* Frees everything but `made`. */
void lt_maker_clear(struct lt_maker *);

#endif
