/* Where the memory is that the kernel accounts: what "the process grows, its heap does not" is about. Numbers are
 * bytes; LT_NO_NUMBER where the snapshot does not tell. */
#ifndef LT_REPORT_MEMORY_H
#define LT_REPORT_MEMORY_H

#include "report/model.h"

#include <stdbool.h>
#include <stdint.h>

/* What of the process is in memory, by who has it there. */
struct lt_resident_use {
    uint64_t total, files, shared, swap;
    bool is_split;       /* what follows is known: the parts of `total` that are not files and shared memory */
    uint64_t in_use;     /* by live heap blocks, with 16 bytes for each one's header and rounding */
    uint64_t kept;       /* by malloc, beyond these: free memory that it has not given back, and what it needs itself */
    uint64_t go_runtime; /* Go's own heap and stacks */
    uint64_t mappings;   /* attributed */
    uint64_t stacks;
    uint64_t own;   /* leaktrack's */
    uint64_t other; /* data of modules; mappings that no hook saw */
};

/* False where the snapshot has no word of it, or the model is NULL. Where heap blocks are not recorded, what malloc has
 * is all `kept`. After lt_go_runtime_take. */
bool lt_resident_of(const struct lt_model *, struct lt_resident_use *);

/* malloc keeps more than is in use, and enough to be noticed: no block leaks it. */
bool lt_is_mostly_kept(const struct lt_model *, const struct lt_resident_use *);

/* Of the process's control group: of all processes in it. */
struct lt_cgroup_use {
    uint64_t used, limit;
    uint64_t page_cache; /* of files that were read or written: the kernel takes it back */
    uint64_t inactive;   /* of the page cache: what was not used lately */
    uint64_t shared;     /* tmpfs and shared memory */
    uint64_t anonymous;  /* heaps and stacks */
    uint64_t kernel;     /* the kernel's own; where it does not tell all of it, its slabs */
    uint64_t sockets;    /* buffers */
};

/* False where the snapshot has no word of it, or is NULL. */
bool lt_cgroup_of(const struct lt_dump_snapshot *, struct lt_cgroup_use *);

/* What is left without the inactive page cache: what Kubernetes shows and evicts by. */
uint64_t lt_working_set(const struct lt_cgroup_use *);

/* What no process leaks, though it looks so from outside: page cache. */
enum lt_page_cache {
    LT_PAGE_CACHE_LITTLE,
    LT_PAGE_CACHE_MOST,   /* there is a limit, and page cache is more than half of what is used */
    LT_PAGE_CACHE_GROWTH, /* more than half of what was added since an earlier snapshot is page cache */
};

/* `since`: the older side of a comparison, else the dump's first snapshot. */
enum lt_page_cache lt_page_cache_of(const struct lt_model *, const struct lt_model *base,
                                    const struct lt_dump_snapshot **since);

#endif
