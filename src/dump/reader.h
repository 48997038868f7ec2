/* Reads a dump. The file is untrusted: every length, index and CRC is checked, no recursion, memory bounded by the
 * file's size. Whatever the bytes, the reader returns; it never crashes and never prints. */
#ifndef LT_DUMP_READER_H
#define LT_DUMP_READER_H

#include "base/kind.h"
#include "base/status.h"
#include "dump/format.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum lt_dump_end {
    LT_DUMP_COMPLETE,  /* the file ends with a closed snapshot, nothing in it is damaged */
    LT_DUMP_TRUNCATED, /* at least one snapshot is complete; something else is cut or damaged: `end_reason` says what */
    LT_DUMP_UNREADABLE, /* not a dump, another major version, an unknown critical section, or no complete snapshot */
};

struct lt_dump_segment {
    uint64_t vaddr, memsz, offset;
    uint32_t flags;
};

struct lt_dump_module { /* index 0 is "no module" */
    const char *path;   /* NUL-terminated; may hold any byte but NUL */
    const uint8_t *build_id;
    size_t build_id_size;
    uint64_t bias, device, inode, size, mtime_ns;
    uint32_t load_cs, unload_cs; /* unload_cs UINT32_MAX while loaded */
    struct lt_dump_segment *segments;
    size_t segment_count;
};

/* Whether build_id is Go's: LT_GO_BUILD_ID_PREFIX and text. */
static inline bool lt_dump_has_go_build_id(const struct lt_dump_module *module) {
    const size_t prefix = sizeof LT_GO_BUILD_ID_PREFIX - 1;
    return module->build_id_size > prefix && memcmp(module->build_id, LT_GO_BUILD_ID_PREFIX, prefix) == 0;
}

struct lt_dump_node { /* index 0 is the root */
    uint32_t parent, module;
    uint64_t offset; /* return address, minus the module's bias */
};

struct lt_dump_totals {
    uint64_t live_count, live_bytes, alloc_count, alloc_bytes, release_count, release_bytes;
    uint64_t inherited_count, inherited_bytes;
    bool present;
};

struct lt_dump_age {
    uint32_t age_class; /* see format.h */
    uint64_t count, bytes;
};

struct lt_dump_site {
    uint32_t node, kind, flags;
    uint64_t live_count, live_bytes, alloc_count, alloc_bytes;
    uint32_t first_birth_cs, last_birth_cs;
    struct lt_dump_age *ages;
    size_t age_count;
};

struct lt_dump_block {
    uint64_t address, size;
    uint32_t birth_cs, node, kind, flags;
};

/* How sure the numbers of the equal row of sites are (format.h). */
struct lt_dump_sample {
    uint32_t node, kind, flags;
    uint64_t live_samples, alloc_samples;
    uint64_t live_count_variance, live_bytes_variance, alloc_count_variance, alloc_bytes_variance;
};

struct lt_dump_counter {
    uint32_t group; /* enum lt_counter_group */
    const char *name;
    uint64_t value;
};

/* Who acquired something, and when. node 0 and site_kind 0: nobody knows. */
struct lt_dump_holder {
    uint32_t node, site_kind, site_flags, birth_cs;
};

/* The details that a row came with, "" and LT_NO_NUMBER where absent (see enum lt_detail). */
#define LT_NO_NUMBER UINT64_MAX
struct lt_dump_details {
    const char *protocol, *state, *local, *peer, *note;
    uint64_t inode, receive, send, memory, position, size, watches, resident;
};

struct lt_dump_descriptor {
    uint32_t fd, kind, origin, flags;
    struct lt_dump_holder holder;
    const char *target;
    struct lt_dump_details details;
};

struct lt_dump_mapping {
    uint64_t start, length, offset;
    uint32_t protection, mapping_class, origin, flags;
    struct lt_dump_holder holder;
    const char *path;
    struct lt_dump_details details;
};

struct lt_dump_thread {
    uint32_t tid, origin, flags;
    struct lt_dump_holder holder;
    uint64_t stack_size;
    const char *name;
    struct lt_dump_details details;
};

struct lt_dump_misuse {
    uint32_t what, fd, node, site_flags;
    uint64_t count;
    struct lt_dump_holder opener;
};

struct lt_dump_snapshot {
    uint64_t index, wall_ns;
    uint32_t time_cs, trigger, flags;
    struct lt_dump_totals totals[LT_KIND_END];
    struct lt_dump_site *sites;
    size_t site_count;
    struct lt_dump_block *blocks;
    size_t block_count;
    struct lt_dump_counter *counters;
    size_t counter_count;
    uint64_t sampling_mean; /* bytes between sampled heap blocks, 0: every block is recorded */
    struct lt_dump_sample *samples;
    size_t sample_count;
    struct lt_dump_descriptor *descriptors;
    size_t descriptor_count;
    struct lt_dump_mapping *mappings;
    size_t mapping_count;
    struct lt_dump_thread *threads;
    size_t thread_count;
    struct lt_dump_misuse *misuses;
    size_t misuse_count;
};

struct lt_dump_process {
    const char *exe, *host, *arch, *library, *unwinder; /* never NULL; "" where absent */
    const char **argv, **options, **notes;              /* NULL-terminated arrays */
    uint32_t pid, ppid, forked_from;                    /* 0 where absent */
    uint64_t start_wall_ns, start_ticks;
    uint32_t control_fd;
    uint64_t control_inode;
};

struct lt_dump {
    struct lt_dump_process process;
    struct lt_dump_module *modules;
    size_t module_count; /* index 0 included */
    struct lt_dump_node *nodes;
    size_t node_count;                  /* index 0 included */
    struct lt_dump_snapshot *snapshots; /* the complete ones, in file order; thinned ones are not here */
    size_t snapshot_count;
    enum lt_dump_end end;
    char end_reason[160]; /* one line without a final stop, "" when complete */
    struct lt_dump_memory *memory;
};

/* Parses `size` bytes at `bytes`, which must outlive the dump. Returns what dump->end says: 0 for COMPLETE and
 * TRUNCATED (at least one snapshot), -EBADMSG for UNREADABLE, -ENOMEM. On every return *dump is initialised and
 * lt_dump_free works. */
LT_STATUS lt_dump_parse(struct lt_dump *dump, const void *bytes, size_t size);
void lt_dump_free(struct lt_dump *);

#endif
