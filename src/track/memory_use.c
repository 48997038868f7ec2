#include "track/memory_use.h"

#include "base/attrs.h"
#include "os/cgroup.h"
#include "track/statistics.h"

static struct lt_cgroup_room room; /* guarded by the snapshot lock */

uint32_t lt_put_memory(struct lt_writer *writer) {
    struct lt_cgroup cgroup;
    uint32_t count = 0;
    if (lt_cgroup_read("", &room, &cgroup) != 0)
        return 0;
    const struct {
        const char *name;
        uint64_t value;
    } rows[] = {
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
    for (size_t i = 0; i < LT_ARRAY_SIZE(rows); i++)
        if (rows[i].value != LT_CGROUP_UNKNOWN)
            count += lt_put_counter(writer, LT_COUNTER_MEMORY, rows[i].name, rows[i].value);
    return count;
}
