#include "track/statistics.h"

#include "base/attrs.h"
#include "os/arena.h"
#include "track/live_index.h"
#include "track/sampler.h"
#include "track/thread.h"
#include "unwind/modules.h"

#include <string.h>

uint32_t lt_put_counter(struct lt_writer *writer, enum lt_counter_group group, const char *name, uint64_t value) {
    lt_put_varint(writer, group);
    lt_put_bytes(writer, name, strlen(name));
    lt_put_varint(writer, value);
    return 1;
}

static uint64_t table_bytes(void) {
    uint64_t bytes = 0;
    for (struct lt_thread *thread = lt_thread_first(); thread; thread = thread->next)
        bytes += lt_stacks_table_bytes(&thread->stacks);
    return bytes;
}

static uint64_t thread_nodes(void) {
    uint64_t nodes = 0;
    for (struct lt_thread *thread = lt_thread_first(); thread; thread = thread->next)
        nodes += lt_pool_count(&thread->stacks.nodes);
    return nodes;
}

/* Exact, whatever is sampled. */
static uint64_t sampled_from_bytes(void) {
    uint64_t bytes = 0;
    for (struct lt_thread *thread = lt_thread_first(); thread; thread = thread->next)
        bytes += lt_sampler_bytes(&thread->sampler);
    return bytes;
}

static uint32_t put_row(struct lt_writer *writer, const char *name, uint64_t value) {
    return lt_put_counter(writer, LT_COUNTER_STATISTICS, name, value);
}

uint32_t lt_put_statistics(struct lt_writer *writer, const struct lt_statistics *own) {
    struct lt_arena_usage arena;
    struct lt_unwind_stats unwind;
    lt_arena_usage(&arena);
    lt_unwind_stats(&unwind);
    const struct {
        const char *name;
        uint64_t value;
    } rows[] = {
        {"arena bytes used", arena.used},
        {"arena bytes committed", arena.committed},
        {"arena bytes reserved", arena.reserved},
        {"live index bytes", lt_live_bytes()},
        {"call-stack hash table bytes", table_bytes()},
        {"thread tables", lt_thread_tables()},
        {"thread tables adopted", lt_thread_adoptions()},
        {"call-stack nodes", thread_nodes()},
        {"call-stack nodes in the dump", own->dump_nodes},
        {"sites", own->sites},
        {"modules", lt_module_count()},
        {"unload epoch", lt_unwind_epoch()},
        {"unwind rule misses", unwind.rule_misses},
        {"unwind rules missing", unwind.rules_none},
        {"stack bounds lookups", unwind.bounds_lookups},
        {"failed snapshots", own->failed_snapshots},
        {"snapshot nanoseconds", own->snapshot_ns},
    };
    for (size_t i = 0; i < LT_ARRAY_SIZE(rows); i++)
        put_row(writer, rows[i].name, rows[i].value);
    const uint32_t more = lt_sampling_mean ? put_row(writer, "heap bytes sampled from", sampled_from_bytes()) : 0;
    return LT_ARRAY_SIZE(rows) + more;
}
