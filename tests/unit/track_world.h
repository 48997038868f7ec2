/* A small world for tests of the tracker: a fixed set of call stacks, blocks that are acquired, moved, ignored and
 * released at random, and a plain model of it all to compare a dump with. The model knows nothing of tries, tables or
 * indexes. */
#ifndef LT_TESTS_TRACK_WORLD_H
#define LT_TESTS_TRACK_WORLD_H

#include "dump/reader.h"
#include "track/dump_file.h"
#include "track/picture.h"
#include "track/track.h"

#include <stdbool.h>
#include <stdint.h>

enum { WORLD_STACKS = 300, WORLD_DEPTH = 24, WORLD_BLOCKS = 4096, WORLD_THREADS = 4 };

struct world_stack {
    uintptr_t frames[WORLD_DEPTH]; /* outermost first */
    uint32_t depth, flags;
    uint64_t live_count, live_bytes, alloc_count, alloc_bytes; /* what the model says of it */
    bool seen;                                                 /* in the dump under comparison */
};

struct world_block {
    uint64_t size;
    int stack; /* -1 = not recorded */
    bool ignored, held;
};

extern struct world_stack world_stacks[WORLD_STACKS];
extern struct world_block world_blocks[WORLD_BLOCKS];
extern uint64_t world_released_count, world_released_bytes, world_lost;

/* Starts clock, arena and tracker, and makes up the stacks. Once per process. */
void world_start(void);

/* Makes the next captures of this thread give stack `n`. */
void world_use_stack(int n);

/* `count` random events of the calling thread on the blocks whose number is `share` modulo `shares`: threads with
 * different shares can run at the same time. Events that the tracker says it lost are counted in world_lost and not in
 * the model. */
void world_run(unsigned *seed, unsigned count, unsigned share, unsigned shares);

/* WORLD_THREADS threads, each with its share of 5,000 events; returns when they have ended. */
void world_run_threads(void);

/* One event each. */
bool world_acquire(struct lt_thread *, unsigned block, int stack, uint64_t size);
bool world_release(struct lt_thread *, unsigned block);
uintptr_t world_address(unsigned block);

/* Forgets all numbers, keeps what is held: what a forked child should see. */
void world_forked(void);

/* A dump in a directory of its own, and a snapshot into it (lt_snapshot_take's status), with this picture: none unless
 * a test says so. */
extern struct lt_picture_options world_picture;
extern struct lt_dump_file world_file;
extern char world_path[];
void world_open_file(void);
void world_remove_file(void);
int world_snapshot(bool blocks, uint32_t flags);

/* Reads the dump at `path` and compares its last snapshot with the model; says on stderr what differs. */
bool world_equals(const char *path);

/* The same for an open dump: its last snapshot. */
bool world_equals_dump(const struct lt_dump *);

/* Parses the file at `path`; NULL (and a word on stderr) if it can't be read. The result lives until the next call. */
const struct lt_dump *world_read(const char *path);

/* Its last snapshot. */
const struct lt_dump_snapshot *world_last(const struct lt_dump *);

#endif
