/* What the kernel accounts to the control group of this process: the number that Kubernetes shows, limits, and kills
 * by. It is that of all processes in the group and below it, and it counts the page cache of files that they read and
 * write. Version 2, or the memory controller of version 1. */
#ifndef LT_OS_CGROUP_H
#define LT_OS_CGROUP_H

#include "base/status.h"
#include "os/file.h"

#include <stdint.h>

#define LT_CGROUP_UNKNOWN UINT64_MAX

/* Bytes, or LT_CGROUP_UNKNOWN. */
struct lt_cgroup {
    unsigned version;       /* 1 or 2 */
    uint64_t used;          /* memory.current, memory.usage_in_bytes */
    uint64_t limit;         /* the least of its own and of those above it that can be seen; LT_CGROUP_UNKNOWN: none */
    uint64_t anon;          /* memory of no file: heaps, stacks */
    uint64_t file;          /* page cache; `shmem` is in it */
    uint64_t shmem;         /* tmpfs and shared memory, which can't be written back */
    uint64_t inactive_file; /* page cache that was not used lately: not in what Kubernetes calls the working set */
    uint64_t kernel;        /* the kernel's own, all of it (v2: since Linux 5.18) */
    uint64_t slab;          /* of the kernel's: inodes, directory entries, sockets ... */
    uint64_t sock;          /* buffers of sockets */
};

/* Room that a reading needs. */
struct lt_cgroup_room {
    char line[LT_PATH_MAX + 256];
    char path[2 * LT_PATH_MAX];
    char group[LT_PATH_MAX];
};

/* Reads /proc/thread-self/{cgroup,mountinfo} and the group's files; `root` stands in front of every path ("" but in
 * tests). -ENOENT where the process is in no such group, or its files can't be seen. A dozen system calls. */
LT_STATUS lt_cgroup_read(const char *root, struct lt_cgroup_room *, struct lt_cgroup *);

#endif
