/* This process's dump file: what it is called, when it comes into being, and how its descriptor is kept out of the
 * program's way. The first image of a process makes it at start; a fork child when it has something to say. */
#ifndef LT_PRELOAD_OUTPUT_H
#define LT_PRELOAD_OUTPUT_H

#include "track/dump_file.h"

#include <stdbool.h>

/* Fixes the name. With `create`, makes the control page and the file, too; a failure is logged, and every snapshot
 * tries again. Once, from the constructor. */
void lt_output_start(bool create);

/* In a fork child of `parent`: its file is no longer ours; a name of our own, and nothing on the disk yet. */
void lt_output_forked(int parent);

/* The file, for a snapshot: from now on this process has one, and a control page unless it is the `last`. The caller
 * holds the snapshot lock. */
struct lt_dump_file *lt_output_for_snapshot(bool last);

/* The same, to look at. */
const struct lt_dump_file *lt_output_file(void);

/* Removes the file, if there is one; a snapshot begins it anew. */
void lt_output_discard(void);

/* Whether this process has a file: false in a fork child before its first snapshot. */
bool lt_output_begun(void);

/* A line for people in the dump; `text` must live for ever. Any time, any thread. */
void lt_output_note(const char *text);

/* What the library's own descriptors are at this moment, ascending; returns how many (0 .. 2). */
unsigned lt_output_descriptors(int descriptors[static 2]);

/* Whether `fd` is one of them: it has that number and leads where ours should. */
bool lt_output_owns(int fd);

/* The program asks for `fd`, one of them: moves it away. */
void lt_output_make_way(int fd);

#endif
