#include "track/dictionary.h"

#include "base/attrs.h"
#include "base/hash.h"
#include "os/arena.h"
#include "track/scratch.h"
#include "track/thread.h"
#include "unwind/modules.h"

#include <stdbool.h>
#include <string.h>

enum { NODE_ROW_MAX = 32, UNLOAD_ROW_MAX = 16, PATH_MAX_BYTES = 4096, MODULE_ROW_MAX = PATH_MAX_BYTES + 2048 };

/* Of a module's life, what the file says of it: in `unloads` one byte per module id. */
enum { TOLD_GONE = 1, TELLING_GONE = 2 };

static struct {
    uint32_t next_node, next_node_kept;
    uint32_t modules, modules_kept; /* written: ids 1 .. modules */
    struct lt_vector unloads;
} dictionary = {.next_node = 1, .next_node_kept = 1, .unloads = {.item_size = 1}};

/* Where a return address lies. */
struct place {
    uint32_t module;
    uint64_t offset;
};

/* Finds places. Where a program loads and unloads thousands of modules, most of its code is in the few that stay, and
 * at the others' addresses they follow each other: the search begins at the last answer for that page of addresses. */
enum { RECENT_MODULES = 64, PAGE_BITS = 12 };

struct locator {
    uint32_t recent[RECENT_MODULES]; /* ids */
};

static struct place locate(struct locator *locator, uint64_t address, uint32_t epoch) {
    uint32_t *recent = &locator->recent[(address >> PAGE_BITS) % RECENT_MODULES];
    const struct lt_module *module = lt_module_near(*recent, address, epoch);
    if (!module)
        return (struct place){0, address};
    *recent = module->id;
    return (struct place){module->id, address - module->bias};
}

/* The nodes numbered so far by what they stand for: an open-addressing table, there only while numbers are given.
 * Truncated stacks are kept apart from whole ones: the two share no row, and a program with one thread, where nothing
 * else could be merged, needs no table. */
#define TRUNCATED_ROOT UINT32_MAX

/* Eight bytes, since a large program has a million. Nodes at one address in one module stand for the same code. */
struct merge_slot {
    uint32_t node; /* arena ref, 0 = empty */
    uint16_t module, hash;
};
_Static_assert(LT_MODULES_MAX <= UINT16_MAX, "ids fit the slot");

struct merge {
    struct lt_vector slots; /* empty: nothing is merged */
    struct locator locator;
};

static uint32_t parent_id(const struct lt_node *node) {
    return ((const struct lt_node *)lt_arena_at(node->parent))->dump_id;
}

static uint32_t merge_parent(const struct lt_node *node) {
    const struct lt_node *parent = lt_arena_at(node->parent);
    return parent->parent == 0 && parent->address & 1 ? TRUNCATED_ROOT : parent->dump_id;
}

static bool means_the_same(const struct lt_node *a, const struct lt_node *b) {
    return a->address == b->address && merge_parent(a) == merge_parent(b);
}

/* The slot of a node that means the same; else an empty one, filled in but for the node. */
static struct merge_slot *merge_find(const struct merge *merge, const struct lt_node *node, uint32_t module) {
    const uint32_t mask = merge->slots.count - 1;
    const uint64_t hash = lt_hash_mix(node->address ^ lt_hash_mix((uint64_t)merge_parent(node) << 32 | module));
    const struct merge_slot wanted = {.module = (uint16_t)module, .hash = (uint16_t)(hash >> 48)};
    for (uint32_t i = (uint32_t)hash & mask;; i = (i + 1) & mask) {
        struct merge_slot *slot = lt_vector_at(&merge->slots, i);
        if (slot->node == 0)
            *slot = wanted;
        if (slot->node == 0 || (slot->module == wanted.module && slot->hash == wanted.hash &&
                                means_the_same(lt_arena_at(slot->node), node)))
            return slot;
    }
}

/* Gives a node that has no number yet the number of one that means the same, or a new one. */
static void merge_node(struct merge *merge, struct lt_node *node, uint32_t epoch) {
    struct merge_slot *slot = merge_find(merge, node, locate(&merge->locator, node->address, epoch).module);
    if (slot->node == 0)
        slot->node = lt_arena_ref(node);
    const struct lt_node *same = lt_arena_at(slot->node);
    if (node->dump_id == 0)
        node->dump_id = same->dump_id ? same->dump_id : dictionary.next_node++;
}

static void merge_old_nodes(struct merge *merge) {
    for (struct lt_thread *thread = lt_thread_first(); thread; thread = thread->next) {
        struct lt_pool_cursor cursor = {0, 0};
        uint32_t epoch;
        for (struct lt_node *node; (node = lt_pool_next(&thread->stacks.nodes, &cursor, &epoch));)
            if (node->dump_id)
                merge_node(merge, node, epoch);
    }
}

static void number_new_nodes(struct merge *merge, struct lt_thread *thread) {
    struct lt_dump_progress *progress = &thread->progress;
    uint32_t epoch;
    progress->reached = progress->kept;
    for (progress->fresh = 0; progress->kept_count + progress->fresh < progress->limit; progress->fresh++) {
        struct lt_node *node = lt_pool_next(&thread->stacks.nodes, &progress->reached, &epoch);
        if (node->parent == 0)
            continue; /* a root: the empty stack, number 0 */
        if (merge->slots.count)
            merge_node(merge, node, epoch);
        else
            node->dump_id = dictionary.next_node++;
    }
}

struct extent {
    uint64_t nodes, fresh, roots[2]; /* of whole stacks, of truncated ones */
};

/* Fixes how far this snapshot goes: others go on making nodes. */
static struct extent set_limits(void) {
    struct extent extent = {0};
    for (struct lt_thread *thread = lt_thread_first(); thread; thread = thread->next) {
        struct lt_dump_progress *progress = &thread->progress;
        progress->limit = lt_pool_count(&thread->stacks.nodes);
        extent.nodes += progress->limit;
        extent.fresh += progress->limit - progress->kept_count;
        for (int truncated = 0; truncated < 2; truncated++)
            extent.roots[truncated] += atomic_load_explicit(&thread->stacks.roots[truncated], memory_order_relaxed);
    }
    return extent;
}

/* As long as all nodes of a sort hang on one root there is nothing to merge. The table is at most three quarters full.
 */
static bool open_merge(struct merge *merge, const struct extent *extent) {
    uint64_t slots = 1024;
    while (slots * 3 < extent->nodes * 4)
        slots *= 2;
    if ((extent->roots[0] <= 1 && extent->roots[1] <= 1) || extent->fresh == 0)
        return true;
    if (slots > UINT32_MAX || !lt_vector_resize(&merge->slots, (uint32_t)slots))
        return false;
    merge_old_nodes(merge);
    return true;
}

bool lt_dictionary_number(void) {
    struct merge merge = {.slots = {.item_size = sizeof(struct merge_slot)}};
    const struct extent extent = set_limits();
    const bool enough = open_merge(&merge, &extent);
    for (struct lt_thread *thread = lt_thread_first(); enough && thread; thread = thread->next)
        number_new_nodes(&merge, thread);
    lt_vector_free(&merge.slots);
    return enough;
}

uint32_t lt_dictionary_nodes(void) {
    return dictionary.next_node;
}

static void put_build_id(struct lt_writer *writer, const struct lt_module *module) {
    uint8_t id[sizeof LT_GO_BUILD_ID_PREFIX + LT_BUILD_ID_MAX] = LT_GO_BUILD_ID_PREFIX;
    const size_t prefix = module->build_id_is_go ? sizeof LT_GO_BUILD_ID_PREFIX - 1 : 0;
    memcpy(id + prefix, module->build_id, module->build_id_size);
    lt_put_bytes(writer, id, prefix + module->build_id_size);
}

static void put_module(struct lt_writer *writer, const struct lt_module *module) {
    lt_put_bytes(writer, module->path, strnlen(module->path, PATH_MAX_BYTES));
    put_build_id(writer, module);
    lt_put_varint(writer, module->bias);
    lt_put_varint(writer, module->device);
    lt_put_varint(writer, module->inode);
    lt_put_varint(writer, module->size);
    lt_put_varint(writer, module->mtime_ns);
    lt_put_varint(writer, module->loaded_cs);
    lt_put_varint(writer, module->segment_count);
    for (uint32_t i = 0; i < module->segment_count; i++) {
        lt_put_varint(writer, module->segments[i].vaddr);
        lt_put_varint(writer, module->segments[i].memsz);
        lt_put_varint(writer, module->segments[i].offset);
        lt_put_varint(writer, module->segments[i].flags);
    }
}

static int write_modules(struct lt_writer *writer) {
    const uint32_t count = lt_module_count();
    int status = 0;
    while (status == 0 && dictionary.modules < count) {
        uint32_t rows = 0;
        lt_rows_begin(writer, LT_SECTION_MODULES, LT_SECTION_CRITICAL, true, dictionary.modules + 1);
        for (; dictionary.modules < count && !lt_rows_full(writer, MODULE_ROW_MAX); rows++)
            put_module(writer, lt_module(++dictionary.modules));
        status = lt_rows_end(writer, rows);
    }
    return status;
}

static bool has_news(const struct lt_module *module, uint8_t *told) {
    bool gone = __atomic_load_n(&module->epoch_unloaded, __ATOMIC_ACQUIRE) != 0, known = *told & TOLD_GONE;
    *told = (uint8_t)((known ? TOLD_GONE : 0) | (gone ? TELLING_GONE : 0));
    return gone != known;
}

/* A module that comes back to its old place is the same module: its row says so. */
static int write_unloads(struct lt_writer *writer) {
    uint32_t rows = 0;
    int status = 0;
    if (!lt_vector_resize(&dictionary.unloads, dictionary.modules + 1))
        return 0; /* the next snapshot tells it */
    for (uint32_t id = 1; status == 0 && id <= dictionary.modules; id++) {
        uint8_t *told = lt_vector_at(&dictionary.unloads, id);
        if (!has_news(lt_module(id), told))
            continue;
        if (rows == 0)
            lt_rows_begin(writer, LT_SECTION_UNLOADS, 0, false, 0);
        lt_put_varint(writer, id);
        lt_put_varint(writer, *told & TELLING_GONE ? lt_module(id)->unloaded_cs : UINT32_MAX);
        rows++;
        if (lt_rows_full(writer, UNLOAD_ROW_MAX)) {
            status = lt_rows_end(writer, rows);
            rows = 0;
        }
    }
    return rows ? lt_rows_end(writer, rows) : status;
}

/* One NODES section after another, opened at its first row. */
struct node_rows {
    struct lt_writer *writer;
    struct locator locator;
    uint64_t last_offset;
    uint32_t next, rows;
};

static int put_node(struct node_rows *out, const struct lt_node *node, uint32_t epoch) {
    if (out->rows == 0) {
        lt_rows_begin(out->writer, LT_SECTION_NODES, LT_SECTION_CRITICAL, true, out->next);
        out->last_offset = 0;
    }
    struct place place = locate(&out->locator, node->address, epoch);
    lt_put_varint(out->writer, out->next - parent_id(node));
    lt_put_varint(out->writer, place.module);
    lt_put_svarint(out->writer, (int64_t)(place.offset - out->last_offset));
    out->last_offset = place.offset;
    out->next++;
    out->rows++;
    if (!lt_rows_full(out->writer, NODE_ROW_MAX))
        return 0;
    uint32_t rows = out->rows;
    out->rows = 0;
    return lt_rows_end(out->writer, rows);
}

/* In the order of numbering, so that a node whose number is not the next one was merged with an earlier one. */
static int put_nodes_of(struct node_rows *out, const struct lt_thread *thread) {
    struct lt_pool_cursor cursor = thread->progress.kept;
    int status = 0;
    for (uint32_t i = 0; status == 0 && i < thread->progress.fresh; i++) {
        uint32_t epoch;
        const struct lt_node *node = lt_pool_next(&thread->stacks.nodes, &cursor, &epoch);
        if (node->dump_id == out->next)
            status = put_node(out, node, epoch);
    }
    return status;
}

static int write_nodes(struct lt_writer *writer) {
    struct node_rows out = {.writer = writer, .next = dictionary.next_node_kept};
    int status = 0;
    for (struct lt_thread *thread = lt_thread_first(); status == 0 && thread; thread = thread->next)
        status = put_nodes_of(&out, thread);
    return status == 0 && out.rows ? lt_rows_end(writer, out.rows) : status;
}

int lt_dictionary_write(struct lt_writer *writer) {
    int status = write_modules(writer);
    if (status == 0)
        status = write_unloads(writer);
    return status == 0 ? write_nodes(writer) : status;
}

void lt_dictionary_commit(void) {
    dictionary.next_node_kept = dictionary.next_node;
    dictionary.modules_kept = dictionary.modules;
    for (uint32_t id = 0; id < dictionary.unloads.count; id++) {
        uint8_t *told = lt_vector_at(&dictionary.unloads, id);
        *told = *told & TELLING_GONE ? TOLD_GONE | TELLING_GONE : 0;
    }
    for (struct lt_thread *thread = lt_thread_first(); thread; thread = thread->next) {
        struct lt_dump_progress *progress = &thread->progress;
        if (progress->fresh)
            progress->kept = progress->reached;
        progress->kept_count += progress->fresh;
        progress->fresh = 0;
    }
}

void lt_dictionary_rollback(void) {
    dictionary.next_node = dictionary.next_node_kept;
    dictionary.modules = dictionary.modules_kept;
    for (struct lt_thread *thread = lt_thread_first(); thread; thread = thread->next) {
        struct lt_pool_cursor cursor = thread->progress.kept;
        for (; thread->progress.fresh; thread->progress.fresh--)
            ((struct lt_node *)lt_pool_next(&thread->stacks.nodes, &cursor, NULL))->dump_id = 0;
    }
}

void lt_dictionary_reset(void) {
    for (struct lt_thread *thread = lt_thread_first(); thread; thread = thread->next) {
        thread->progress = (struct lt_dump_progress){.limit = 0};
        struct lt_pool_cursor cursor = {0, 0};
        for (struct lt_node *node; (node = lt_pool_next(&thread->stacks.nodes, &cursor, NULL));)
            node->dump_id = 0;
    }
    lt_vector_free(&dictionary.unloads);
    dictionary.next_node = dictionary.next_node_kept = 1;
    dictionary.modules = dictionary.modules_kept = 0;
}
