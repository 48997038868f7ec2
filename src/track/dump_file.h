/* The dump file of this process: its name, its descriptor, its size. The architecture's section "Dump file" is the
 * contract.
 *
 * The descriptor lives at the lowest free number >= min(RLIMIT_NOFILE, 1024) - 16, close-on-exec. Before each use its
 * device and inode are compared with what was opened; a lost one (the program closed it, or put its own there) is
 * forgotten, not closed, and the file is opened again by path and continued at the committed offset.
 *
 * The size is bounded by `max_bytes` of allocated blocks and by RLIMIT_FSIZE. Old snapshots are thinned so that those
 * kept still span the run evenly, the newest complete one stays, and a periodic snapshot leaves room for one more like
 * it, which is for the last one.
 *
 * One caller at a time (the snapshot lock); not from a signal handler. Raw system calls and lt_pages only. */
#ifndef LT_TRACK_DUMP_FILE_H
#define LT_TRACK_DUMP_FILE_H

#include "base/status.h"
#include "os/file.h"
#include "track/dump_runs.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct lt_dump_file {
    char path[LT_PATH_MAX];   /* absolute; lt_dump_file_open may append ".PID" */
    int fd;                   /* -1 = none open */
    struct lt_file_id id;     /* of the file that fd should be */
    uint64_t committed;       /* bytes up to the end of the last complete snapshot (or of the header) */
    uint64_t position;        /* where the next write goes: > committed inside a snapshot */
    uint64_t max_bytes;       /* LEAKTRACK_MAX_DUMP; 0 = no cap */
    uint32_t generation;      /* rises when a new, empty file is begun: then nothing written earlier is in it */
    bool header_written;      /* committed > 0: the file begins with this process's header */
    int last_error;           /* why the last open or write failed, 0 = it did not */
    uint32_t interval_factor; /* the caller multiplies its interval by this: > 1 where what thinning can't free fills
                                 the file up, so that it spans the run all the same, and after refusals (-EFBIG) */
    uint64_t start_ticks;     /* of this process, for the header; read once: later no descriptor may be free for it */
    /* private to dump_file.c */
    bool last; /* the snapshot being written may use the room kept for the last one */
    bool pid_appended;
    bool can_thin;      /* the file system frees blocks, and that is worth something here */
    uint32_t refusals;  /* snapshots in a row that did not fit */
    uint32_t fruitless; /* snapshots thinned in a row that freed no block */
    uint64_t spare;     /* bytes that the last committed snapshot took, dictionaries not counted */
    struct lt_dump_runs runs;
};

/* Remembers `path` (absolute) and opens nothing. */
void lt_dump_file_init(struct lt_dump_file *, const char *path, uint64_t max_bytes);

/* Creates the file (O_NOFOLLOW, 0600, flock). What lies at the path already:
 * - an empty file, or the dump of a dead process, is replaced by a new inode, so that who reads the old one is not
 *   disturbed; it is emptied in place where the file is ours but not the directory;
 * - a dump of this process's image before an exec is kept as PATH.1 (.2 ...) if it holds a snapshot, else replaced;
 * - the dump of another live process stays, and ".PID" is appended to our path (once);
 * - anything else is left alone: -EEXIST.
 * Other negative errnos as the file system says. The new file is empty: `generation` has risen, `header_written` is
 * false, and the caller writes header and dictionaries from their beginning. */
LT_STATUS lt_dump_file_open(struct lt_dump_file *);

/* Makes sure that fd is our file: checks its identity, opens it again if need be. A file that was deleted or truncated
 * behind our back is begun anew (see `generation`). */
LT_STATUS lt_dump_file_check(struct lt_dump_file *);

/* Before each snapshot: lt_dump_file_check, and whether this is the process's last one: that may use the room kept for
 * it, and where the disk is full, older snapshots make way for it. */
LT_STATUS lt_dump_file_begin(struct lt_dump_file *, bool last);

/* Appends at `position`; the sink of dump/writer.h (context = the lt_dump_file): each call hands over the header, or
 * one whole section. -EFBIG: RLIMIT_FSIZE or max_bytes leave no room; -EBADF: the descriptor is not ours any more
 * (begin again). */
int lt_dump_file_append(void *dump_file, const void *bytes, size_t size);

/* What was appended since the last commit is now a whole snapshot (or the header) / is to be forgotten: the file is cut
 * there. After a rollback, dictionary rows appended since the last commit are not in the file. */
void lt_dump_file_commit(struct lt_dump_file *);
void lt_dump_file_rollback(struct lt_dump_file *);

/* Moves the descriptor away because the program asks for its number. Where no other number is left, it is closed, and
 * opened again at the next snapshot: a negative errno that says why. */
LT_STATUS lt_dump_file_make_way(struct lt_dump_file *, int number);

/* In a forked child (never in a vfork child): lets go of the parent's file; path changes to `path`. */
void lt_dump_file_forked(struct lt_dump_file *, const char *path);

#endif
