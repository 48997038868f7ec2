#include "track/memory_use.h"

#include "base/attrs.h"
#include "os/cgroup.h"
#include "os/resident.h"
#include "track/statistics.h"

#include <assert.h>

static_assert(LT_CGROUP_UNKNOWN == LT_RESIDENT_UNKNOWN, "one word for what is not known");

static struct lt_cgroup_room room; /* guarded by the snapshot lock */

struct row {
    const char *name;
    uint64_t value;
};

static uint32_t put_rows(struct lt_writer *writer, const struct row *rows, size_t count) {
    uint32_t known = 0;
    for (size_t i = 0; i < count; i++)
        if (rows[i].value != LT_RESIDENT_UNKNOWN)
            known += lt_put_counter(writer, LT_COUNTER_MEMORY, rows[i].name, rows[i].value);
    return known;
}

static uint32_t put_resident(struct lt_writer *writer) {
    struct lt_resident resident;
    if (lt_resident(&resident, room.line, sizeof room.line) != 0)
        return 0;
    const struct row rows[] = {
        {LT_MEMORY_RESIDENT_ANON, resident.anon},
        {LT_MEMORY_RESIDENT_FILE, resident.file},
        {LT_MEMORY_RESIDENT_SHMEM, resident.shmem},
        {LT_MEMORY_SWAP, resident.swap},
    };
    return put_rows(writer, rows, LT_ARRAY_SIZE(rows));
}

static uint32_t put_cgroup(struct lt_writer *writer) {
    struct lt_cgroup cgroup;
    if (lt_cgroup_read("", &room, &cgroup) != 0)
        return 0;
    const struct row rows[] = {
        {LT_MEMORY_CGROUP_VERSION, cgroup.version},
        {LT_MEMORY_CGROUP_USED, cgroup.used},
        {LT_MEMORY_CGROUP_LIMIT, cgroup.limit},
        {LT_MEMORY_CGROUP_ANON, cgroup.anon},
        {LT_MEMORY_CGROUP_FILE, cgroup.file},
        {LT_MEMORY_CGROUP_SHMEM, cgroup.shmem},
        {LT_MEMORY_CGROUP_INACTIVE_FILE, cgroup.inactive_file},
        {LT_MEMORY_CGROUP_KERNEL, cgroup.kernel},
        {LT_MEMORY_CGROUP_SLAB, cgroup.slab},
        {LT_MEMORY_CGROUP_SOCK, cgroup.sock},
    };
    return put_rows(writer, rows, LT_ARRAY_SIZE(rows));
}

uint32_t lt_put_memory(struct lt_writer *writer) {
    return put_resident(writer) + put_cgroup(writer);
}
