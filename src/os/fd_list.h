/* Open descriptors as the kernel lists them: one pass over the directory of a thread's descriptor table, and what is
 * behind one of them.
 *
 * `tid` is a thread of this process whose table is meant; 0: the calling thread's own. A helper with a private table
 * (lt_fds_private) reads the program's by the tid of one of its threads. Always by the thread's directory: that of the
 * process is empty once the main thread has left. Without /proc all answer -ENOENT and give nothing.
 *
 * Where the program has used up its limit, the list is made without a descriptor.
 *
 * A pass takes one descriptor of the calling thread's table, for as long as it lasts; it never takes a standard
 * stream's number, and gives a low number back at once (lt_fd_move_high). */
#ifndef LT_OS_FD_LIST_H
#define LT_OS_FD_LIST_H

#include "base/kind.h"
#include "base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct lt_fd_entry {
    int fd;
    bool deleted; /* a file that has no name any more: its last link was removed, or it never had one (O_TMPFILE) */
    /* Where the link leads: "/a/path", "socket:[4711]", "pipe:[42]", "anon_inode:[eventfd]", "/memfd:name"; without the
     * kernel's " (deleted)" where `deleted` or a memfd says so already; "" where the kernel doesn't tell.
     * NUL-terminated, lives during the callback. */
    const char *target;
    uint32_t rank; /* how many were listed before it */
};

enum { LT_FD_FULLY = 1000 };            /* of one's own table, that many are looked at closely: see lt_fd_details */
enum { LT_FD_LIST_BUFFER = 16 * 1024 }; /* least size of the buffer; 4 KiB of it hold the target */

/* Calls `see` for each open descriptor in ascending order until it returns false; the pass's own is left out. One that
 * is opened or closed meanwhile is listed or not; all others are listed, exactly once. `see` may open and close
 * descriptors. One system call each, and one for about 300 of them. */
LT_STATUS lt_fd_list(int tid, char *buffer, size_t size, bool (*see)(void *context, const struct lt_fd_entry *),
                     void *context);

/* What a descriptor is, by its target and its st_mode (0 = unknown; needed only where the target begins with neither of
 * "socket:", "pipe:", "anon_inode:"). */
enum lt_kind lt_fd_kind(const char *target, uint32_t mode);

struct lt_fd_details {
    enum lt_kind kind;
    bool cloexec;
    bool has_position; /* a file or directory: `position` counts */
    uint32_t mode;     /* st_mode, 0 where not asked for: sockets, anonymous pipes and events */
    uint64_t device;   /* st_dev, likewise */
    uint64_t inode;    /* likewise, and of sockets and anonymous pipes; 0 of events (they share one) */
    uint64_t size;     /* bytes, of a regular file */
    uint64_t position; /* bytes */
    uint64_t watches;  /* epoll: descriptors registered; inotify, fanotify: watches, marks */
    /* For people, "" where there is nothing to say: "count 3", "armed, expires in 2.500 s", "process 4711", "signals 2
     * 15". */
    char note[64];
};

/* Looks behind a listed descriptor, with as few system calls as its kind allows: one for a socket or an anonymous pipe
 * of one's own table, five for a file or an event, two for one whose rank is LT_FD_FULLY or more: then there is no
 * position and no note, so that a snapshot stops a program of 10,000 files for 10 ms and not for 100. What can't be
 * read is left 0. -ENOENT where it is not open any more, and
 * `details` then holds what the target alone says. Doesn't wait for a network file system that is gone (for one's own
 * table). */
LT_STATUS lt_fd_details(int tid, const struct lt_fd_entry *, struct lt_fd_details *details);

/* "/proc/self/task/TID/fd/FD", where `directory` is "/fd/" or "/fdinfo/". */
enum { LT_FD_PATH = 64 };
void lt_fd_path(char path[static LT_FD_PATH], int tid, const char *directory, int fd);

#endif
