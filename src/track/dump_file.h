/* The dump file of this process: its name, its descriptor, its size. The architecture's section "Dump file" is the contract.
 *
 * The descriptor lives at the lowest free number >= min(RLIMIT_NOFILE, 1024) - 16, close-on-exec. Before each use its device
 * and inode are compared with what was opened; a lost one (the program closed it, or put its own there) is forgotten, not
 * closed, and the file is opened again by path and continued at the committed offset. */
#ifndef LT_TRACK_DUMP_FILE_H
#define LT_TRACK_DUMP_FILE_H

#include "base/status.h"
#include "os/file.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One snapshot's place in the file, for thinning. */
struct lt_dump_place {
    uint64_t offset, length; /* of its sections but dictionaries; see dump_file.c */
};

struct lt_dump_file {
    char path[LT_PATH_MAX];   /* absolute */
    int fd;                   /* -1 = none open */
    struct lt_file_id id;     /* of the file that fd should be */
    uint64_t committed;       /* bytes up to the end of the last complete snapshot (or of the header) */
    uint64_t position;        /* where the next write goes: > committed inside a snapshot */
    uint64_t max_bytes;       /* LEAKTRACK_MAX_DUMP */
    bool header_written;
    int last_error;           /* why the last open or write failed, 0 = it did not */
    /* private to dump_file.c: thinning */
    struct lt_dump_place *places;
    uint32_t place_count, place_capacity;
    uint32_t interval_factor; /* the caller multiplies its interval by this: > 1 where old snapshots can't be thinned */
};

/* Remembers `path` (absolute) and opens nothing. */
void lt_dump_file_init(struct lt_dump_file *, const char *path, uint64_t max_bytes);

/* Creates the file (O_NOFOLLOW, 0600, flock), or takes over the dump of a dead process at that path. Where the path holds
 * the dump of another live process, ".PID" is appended to the path (once). -EEXIST: something else lies there; it is left
 * alone. Other negative errnos as the file system says. */
LT_STATUS lt_dump_file_open(struct lt_dump_file *);

/* Makes sure that fd is our file: checks its identity, opens it again if need be (after a fork: never the parent's). */
LT_STATUS lt_dump_file_check(struct lt_dump_file *);

/* Appends at `position`; the sink of dump/writer.h (context = the lt_dump_file). Keeps under RLIMIT_FSIZE and max_bytes. */
int lt_dump_file_append(void *dump_file, const void *bytes, size_t size);

/* What was appended since the last commit is now a whole snapshot / is to be forgotten. */
void lt_dump_file_commit(struct lt_dump_file *);
void lt_dump_file_rollback(struct lt_dump_file *);

/* Moves the descriptor away because the program asks for its number. */
LT_STATUS lt_dump_file_make_way(struct lt_dump_file *, int number);

/* In a forked child: forgets the parent's file without closing anything the parent could notice; path changes to `path`. */
void lt_dump_file_forked(struct lt_dump_file *, const char *path);

#endif
