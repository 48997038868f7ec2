/* Files by raw system calls. Paths are byte strings, at most LT_PATH_MAX with their NUL. */
#ifndef LT_OS_FILE_H
#define LT_OS_FILE_H

#include "base/attrs.h"
#include "base/status.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LT_PATH_MAX = 4096 };

/* A file's identity: what tells "our descriptor" from one that the program put in its place. */
struct lt_file_id {
    uint64_t device, inode;
};

struct lt_file_info {
    struct lt_file_id id;
    uint64_t size, allocated; /* bytes; `allocated` is what the file really occupies (st_blocks * 512) */
    uint64_t mtime_ns;
    uint32_t mode, links, uid;
};

LT_STATUS lt_file_info(int fd, struct lt_file_info *);
LT_STATUS lt_path_info(const char *path, struct lt_file_info *); /* follows links */
LT_STATUS lt_link_info(const char *path, struct lt_file_info *); /* of a symbolic link itself */

/* openat(AT_FDCWD, path, flags | O_CLOEXEC, mode): a descriptor or a negative errno. Retries EINTR. Where the program
 * has used up its RLIMIT_NOFILE, the descriptor is one beyond it, if that can be had. */
LT_STATUS lt_open(const char *path, int flags, unsigned mode);
void lt_close(int fd);

/* Whether the calling thread's table has that number (F_GETFD); true where a sandbox won't let us ask. */
bool lt_fd_is_open(int fd);

/* Moves `fd` to the lowest free number >= `least` (F_DUPFD_CLOEXEC) and closes the old number; the new number, or a
 * negative errno with `fd` still open. */
LT_STATUS lt_fd_move(int fd, int least);

/* Where programs seldom look: min(RLIMIT_NOFILE, 1024) - 16, or the last two numbers of fewer than 20. And lt_fd_move
 * to the lowest free number from there on; one of the standard streams' numbers is left for any other. */
int lt_fd_high(void);
LT_STATUS lt_fd_move_high(int fd);

/* The library holds `fd`, in the program's table, for longer than a call: notes it (unless it is negative) and returns
 * it. So lt_fd_may_be_kept is false for nearly all numbers of a program, by one comparison; whoever gets true must look
 * closer. */
int lt_fd_keep(int fd);
extern _Atomic int lt_fd_lowest_kept;
static LT_ALWAYS_INLINE bool lt_fd_may_be_kept(int fd) {
    return lt_unlikely(fd >= atomic_load_explicit(&lt_fd_lowest_kept, memory_order_relaxed));
}

/* Gives the calling thread a descriptor table of its own that holds copies of `keep` descriptors (ascending)
 * and nothing else, so that neither side's open() and close() touch the other's numbers. Ends with the thread. To close
 * a copy is a close like any other to the file: see docs/design/life.md. A negative errno where the kernel, or a
 * seccomp filter, refuses: the table is shared as before. */
LT_STATUS lt_fds_private(const int *keep, unsigned count);

/* Writes all `size` bytes at `offset`, through EINTR and short writes. A write that would pass RLIMIT_FSIZE is not
 * tried (its SIGXFSZ would kill the program): -EFBIG. */
LT_STATUS lt_pwrite_all(int fd, const void *, size_t size, uint64_t offset);

/* Writes all at the file position: logs, pipes. Neither SIGPIPE nor SIGXFSZ reaches the program: -EPIPE, -EFBIG. */
LT_STATUS lt_write_all(int fd, const void *, size_t size);

/* The largest size a file may be given now (RLIMIT_FSIZE), in bytes; UINT64_MAX = no limit. */
uint64_t lt_file_size_limit(void);

/* Reads up to `size` bytes at `offset` through EINTR and short reads: the number read or a negative errno. */
int64_t lt_pread_all(int fd, void *, size_t size, uint64_t offset);

/* flock(LOCK_EX | LOCK_NB): 0, -EWOULDBLOCK when another open file holds it, or another negative errno. */
LT_STATUS lt_file_lock(int fd);

LT_STATUS lt_file_truncate(int fd, uint64_t size);

/* Frees the blocks of [offset, offset + size) and keeps the file's size; -EOPNOTSUPP where the file system can't. */
LT_STATUS lt_file_punch_hole(int fd, uint64_t offset, uint64_t size);

LT_STATUS lt_rename(const char *from, const char *to);
LT_STATUS lt_unlink(const char *path);
LT_STATUS lt_getcwd(char *path, size_t size);

/* A 4 KiB-aligned memfd of `size` bytes sealed against growing and shrinking: its descriptor, or a negative errno. */
LT_STATUS lt_memfd_sealed(const char *name, size_t size);
void *lt_file_map_shared(int fd, size_t size); /* read-write, or NULL */

#endif
