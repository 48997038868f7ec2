/* Order of work: the index is walked and the picture taken first, then the nodes are numbered, then the sites are read:
 * so every site that something was counted at has its node in the dump, and no site shows more live than was acquired
 * there. The releases are summed up last: what the picture found vanished is among them.
 * Everything is known before the first byte is written, since the totals come first in the file.
 *
 * The dictionaries stand before SNAPSHOT, so that a snapshot is one piece of the file that thinning can take out. */
#include "track/snapshot.h"

#include "base/attrs.h"
#include "base/kind.h"
#include "dump/writer.h"
#include "os/arena.h"
#include "os/clock.h"
#include "os/task.h"
#include "track/counters.h"
#include "track/dictionary.h"
#include "track/identity.h"
#include "track/memory_use.h"
#include "track/sampler.h"
#include "track/sites.h"
#include "track/statistics.h"
#include "track/tally.h"
#include "track/thread.h"
#include "track/track.h"

#include <errno.h>
#include <stdatomic.h>

enum { BUFFER_SIZE = 64 * 1024, BLOCK_ROW_MAX = 64 };

/* What one snapshot needs even where no memory can be had. Guarded by the snapshot lock. */
static struct {
    uint64_t buffer[BUFFER_SIZE / sizeof(uint64_t)];
    struct lt_live_region region;
    struct lt_site_rows site_rows;
    struct lt_tally tally;
    struct lt_sites sites;
    struct lt_totals events[LT_KIND_END];
    struct lt_writer writer;
    uint32_t index; /* of the last complete snapshot in the file */
    uint64_t begin_ns;
} work;

static _Atomic uint64_t owner; /* pid << 32 | tid of who holds the lock, 0 = nobody */
static _Atomic uint32_t completed, failed;
static _Atomic uint64_t last_wall_ns, last_duration_ns;

static uint64_t thread_word(int tid) {
    return (uint64_t)(uint32_t)lt_getpid() << 32 | (uint32_t)tid;
}

int lt_snapshot_try_lock(void) {
    const uint64_t me = thread_word(lt_gettid());
    uint64_t holder = atomic_load(&owner);
    if (holder == me)
        return -EDEADLK;
    if (holder >> 32 == me >> 32 && lt_tid_alive((int)(uint32_t)holder))
        return -EBUSY;
    return atomic_compare_exchange_strong(&owner, &holder, me) ? 0 : -EBUSY;
}

void lt_snapshot_hand_over(int tid) {
    atomic_store(&owner, thread_word(tid));
}

void lt_snapshot_unlock(void) {
    atomic_store(&owner, 0);
}

void lt_snapshot_stats(struct lt_snapshot_stats *stats) {
    *stats = (struct lt_snapshot_stats){.completed = atomic_load(&completed),
                                        .failed = atomic_load(&failed),
                                        .last_wall_ns = atomic_load(&last_wall_ns),
                                        .last_duration_ns = atomic_load(&last_duration_ns)};
}

static bool has_totals(enum lt_kind kind) {
    const struct lt_live_sums *live = &work.tally.sums[kind];
    return kind == LT_KIND_HEAP || live->live_count || live->inherited_count || work.sites.sums[kind].alloc_count ||
           work.events[kind].released_count;
}

/* A mapping that is cut in two counts as -1 release (resource.h). Where cuts outnumber releases, they are told as
 * acquisitions of pieces. */
static uint64_t surplus_of_cuts(const struct lt_totals *events) {
    return (int64_t)events->released_count < 0 ? -events->released_count : 0;
}

static void put_totals(enum lt_kind kind) {
    const struct lt_live_sums *live = &work.tally.sums[kind];
    const struct lt_alloc_sums *alloc = &work.sites.sums[kind];
    const struct lt_totals *events = &work.events[kind];
    const uint64_t cuts = surplus_of_cuts(events);
    const uint64_t numbers[] = {kind,
                                lt_whole_count(kind, live->live_count),
                                lt_whole_bytes(kind, live->live_bytes),
                                lt_whole_count(kind, alloc->alloc_count) + cuts,
                                lt_whole_bytes(kind, alloc->alloc_bytes),
                                events->released_count + cuts,
                                events->released_bytes,
                                lt_whole_count(kind, live->inherited_count),
                                lt_whole_bytes(kind, live->inherited_bytes)};
    for (size_t i = 0; i < LT_ARRAY_SIZE(numbers); i++)
        lt_put_varint(&work.writer, numbers[i]);
}

static int write_totals(enum lt_trigger trigger, uint32_t flags) {
    struct lt_writer *writer = &work.writer;
    uint32_t kinds = 0;
    for (enum lt_kind kind = LT_KIND_HEAP; kind < LT_KIND_END; kind++)
        kinds += has_totals(kind);
    lt_section_begin(writer, LT_SECTION_SNAPSHOT, LT_SECTION_CRITICAL);
    lt_put_varint(writer, work.index + 1u);
    lt_put_varint(writer, lt_clock_wall_ns());
    lt_put_varint(writer, work.tally.now);
    lt_put_varint(writer, trigger);
    lt_put_varint(writer, flags);
    lt_put_varint(writer, kinds);
    for (enum lt_kind kind = LT_KIND_HEAP; kind < LT_KIND_END; kind++)
        if (has_totals(kind))
            put_totals(kind);
    return lt_section_end(writer);
}

static bool put_block(const struct lt_live_block *block, uintptr_t last_address) {
    if (block->state & LT_LIVE_IGNORED || lt_inherited(block->site))
        return false;
    const struct lt_site *site = lt_site_at(block->site);
    const struct lt_node *node = lt_arena_at(site->node);
    if (node->parent != 0 && node->dump_id == 0)
        return false; /* younger than this snapshot */
    lt_put_varint(&work.writer, block->address - last_address);
    lt_put_varint(&work.writer, block->size);
    lt_put_varint(&work.writer, block->birth);
    lt_put_varint(&work.writer, node->dump_id);
    lt_put_varint(&work.writer, site->kind);
    lt_put_varint(&work.writer, site->flags);
    return true;
}

/* A second walk: with other threads running it need not agree with the sites to the block. */
static int write_blocks(void) {
    struct lt_live_cursor cursor = {0};
    uintptr_t last = 0;
    uint32_t rows = 0;
    int status = 0;
    lt_rows_begin(&work.writer, LT_SECTION_BLOCKS, 0, false, 0);
    while (status == 0 && lt_live_next_region(&cursor, &work.region)) {
        if (lt_rows_full(&work.writer, BLOCK_ROW_MAX * LT_LIVE_REGION_BLOCKS)) {
            status = lt_rows_end(&work.writer, rows);
            lt_rows_begin(&work.writer, LT_SECTION_BLOCKS, 0, false, 0);
            last = rows = 0;
        }
        for (uint32_t i = 0; i < work.region.count; i++)
            if (put_block(&work.region.blocks[i], last)) {
                last = work.region.blocks[i].address;
                rows++;
            }
    }
    return status == 0 ? lt_rows_end(&work.writer, rows) : status;
}

static int write_counters(void) {
    struct lt_writer *writer = &work.writer;
    uint32_t rows;
    lt_rows_begin(writer, LT_SECTION_COUNTERS, 0, false, 0);
    rows = lt_put_memory(writer);
    for (unsigned reason = 0; reason < LT_UNTRACKED_END; reason++)
        rows += lt_put_counter(writer, LT_COUNTER_UNTRACKED, lt_untracked_name(reason), lt_untracked_count(reason));
    rows += lt_put_statistics(writer, &(struct lt_statistics){.sites = work.sites.count,
                                                              .dump_nodes = lt_dictionary_nodes() - 1,
                                                              .failed_snapshots = atomic_load(&failed),
                                                              .snapshot_ns = lt_clock_mono_ns() - work.begin_ns});
    rows += lt_picture_put_counters(writer);
    return lt_rows_end(writer, rows);
}

static int write_sections(enum lt_trigger trigger, const struct lt_snapshot_options *options) {
    const bool incomplete = work.tally.incomplete || work.sites.incomplete;
    const uint32_t flags = options->flags | (incomplete ? LT_SNAPSHOT_INCOMPLETE : 0);
    int status = lt_identity_write_notes(&work.writer);
    if (status == 0)
        status = lt_dictionary_write(&work.writer);
    lt_snapshot_begin(&work.writer);
    if (status == 0)
        status = write_totals(trigger, flags);
    if (status == 0)
        status = lt_sites_write(&work.sites, &work.tally, &work.writer, &work.site_rows);
    if (status == 0 && options->blocks)
        status = write_blocks();
    if (status == 0)
        status = lt_picture_write(&work.writer);
    if (status == 0)
        status = write_counters();
    return status == 0 ? lt_write_end(&work.writer, work.index + 1u) : status;
}

/* Gives back what a snapshot took, and undoes what it has not committed: this one, or one whose thread died in it. */
static void clean_up(void) {
    lt_tally_free(&work.tally);
    lt_picture_free();
    lt_sites_free(&work.sites);
    lt_dictionary_rollback();
}

static int prepare_file(struct lt_dump_file *file, bool last) {
    int status = lt_dump_file_begin(file, last);
    if (status != 0 || file->header_written)
        return status;
    work.index = 0;
    return lt_identity_write(file);
}

static int take(struct lt_dump_file *file, enum lt_trigger trigger, const struct lt_snapshot_options *options) {
    clean_up();
    int status = prepare_file(file, options->flags & LT_SNAPSHOT_LAST);
    if (status != 0)
        return status;
    lt_writer_init(&work.writer, lt_dump_file_append, file, work.buffer, sizeof work.buffer);
    lt_tally_take(&work.tally, lt_clock_cs(), &work.region);
    lt_picture_take(&options->picture, &work.tally);
    const bool complete = lt_dictionary_number();
    lt_sites_collect(&work.sites, lt_dictionary_nodes(), complete);
    for (enum lt_kind kind = LT_KIND_HEAP; kind < LT_KIND_END; kind++)
        lt_totals(kind, &work.events[kind]); /* close to the acquire counts, so that they differ by little under way */
    status = write_sections(trigger, options);
    if (status == 0) {
        work.index++;
        lt_dictionary_commit();
        lt_identity_commit();
        lt_dump_file_commit(file);
    }
    if (status != 0)
        lt_dump_file_rollback(file);
    clean_up();
    return status;
}

int lt_snapshot_take(struct lt_dump_file *file, enum lt_trigger trigger, const struct lt_snapshot_options *options) {
    work.begin_ns = lt_clock_mono_ns();
    int status = take(file, trigger, options);
    if (status == 0) {
        atomic_fetch_add(&completed, 1);
        atomic_store(&last_wall_ns, lt_clock_wall_ns());
        atomic_store(&last_duration_ns, lt_clock_mono_ns() - work.begin_ns);
    } else {
        atomic_fetch_add(&failed, 1);
    }
    return status;
}

void lt_snapshot_forked(void) {
    lt_picture_forked();
    lt_dictionary_reset();
    work.index = 0;
    atomic_store(&owner, 0);
    atomic_store(&completed, 0);
    atomic_store(&failed, 0);
}
