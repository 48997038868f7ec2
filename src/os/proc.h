/* What /proc says of this process. Always by /proc/thread-self: /proc/self/{maps,fd} are empty once the main thread has
 * left (checked). Every function works without /proc: it returns -ENOENT and leaves its result empty. */
#ifndef LT_OS_PROC_H
#define LT_OS_PROC_H

#include "base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct lt_map {
    uintptr_t start, end; /* half-open */
    uint64_t offset;
    uint64_t inode;
    bool readable, writable, executable, shared;
    const char
        *path; /* NUL-terminated, "" for anonymous, lives during the callback; "[stack]" and the like as they are */
};

/* Calls `see` for each mapping in address order until it returns false. Reads with a buffer of `buffer_size` (>= 512)
 * bytes at `buffer`; a path longer than the buffer is cut. */
LT_STATUS lt_proc_maps(char *buffer, size_t buffer_size, bool (*see)(void *context, const struct lt_map *),
                       void *context);

/* The mapping that holds `address`. `buffer` as above. -ESRCH where none does. `map->path` is always "". */
LT_STATUS lt_proc_map_at(uintptr_t address, struct lt_map *map, char *buffer, size_t buffer_size);

/* Bytes of address space that this process has mapped, and of those its private writable ones: what RLIMIT_AS and
 * RLIMIT_DATA count. */
struct lt_memory_use {
    uint64_t address_space, data;
};
LT_STATUS lt_proc_memory_use(struct lt_memory_use *);

/* Field 22 of /proc/PID/stat: the process's start in clock ticks since boot; 0 where it can't be read. With the pid it
 * names a process for good. pid 0 = this process. */
uint64_t lt_proc_start_ticks(int pid);

/* Field 3 of the same file: 'R' running, 'S' sleeping, 'Z' zombie ...; 0 where it can't be read. */
char lt_proc_state(int pid);

/* Where /proc/PID/fd/FD leads, e.g. "/memfd:name (deleted)", NUL-terminated and cut at `size`; false where there is no
 * such descriptor or the kernel won't tell. */
bool lt_proc_fd_target(int pid, int fd, char *target, size_t size);

/* Opens what /proc/PID/fd/FD leads to anew, with flags of its own: a descriptor or a negative errno. */
LT_STATUS lt_proc_fd_open(int pid, int fd, int flags);

/* The path of the executable; the argument list (NUL-separated bytes, as the kernel has it); both cut at `size`. The
 * number of bytes without a final NUL, or a negative errno. */
int64_t lt_proc_exe(char *path, size_t size);
int64_t lt_proc_cmdline(char *args, size_t size);

/* uname's node name, NUL-terminated. */
void lt_host_name(char *name, size_t size);

#endif
