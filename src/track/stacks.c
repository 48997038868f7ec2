/* Any step here may be the last one: a signal handler can jump out of the hook with siglongjmp. So every record is
 * complete before it can be found, and path_depth is lowered before the path changes and raised after. The handler runs
 * on this thread, so compiler fences are enough. */
#include "track/stacks.h"

#include "base/attrs.h"
#include "dump/format.h"
#include "os/arena.h"
#include "os/clock.h"
#include "os/memory.h"
#include "track/sampler.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>

enum { FIRST_PATH = LT_DEPTH_DEFAULT + 1 };

_Atomic uint32_t lt_stacks_warm_until;

static void in_program_order(void) {
    atomic_signal_fence(memory_order_seq_cst);
}

static LT_ALWAYS_INLINE uint32_t tag_of(uint32_t parent, uint64_t address) {
    return (uint32_t)(((address ^ parent * 0x9e3779b97f4a7c15u) * 0xd6e8feb86659fd93u) >> 32);
}

/* The slot where the search for `tag` begins. Multiplying by the table's size instead of masking lets tables grow by
 * half: 33 to 50 % full instead of 25 to 50. */
static LT_ALWAYS_INLINE uint32_t home(const struct lt_stack_table *table, uint32_t tag) {
    return (uint32_t)((uint64_t)tag * table->count >> 32);
}

static LT_ALWAYS_INLINE uint32_t after(const struct lt_stack_table *table, uint32_t index) {
    return index + 1 == table->count ? 0 : index + 1;
}

/* The node in the slot if that is the child, else 0. */
static LT_ALWAYS_INLINE uint32_t child_in(uint64_t slot, uint32_t tag, uint32_t parent, uint64_t address) {
    if (slot >> 32 != tag)
        return 0;
    const struct lt_node *node = lt_arena_known((uint32_t)slot);
    return lt_likely(node->address == address && node->parent == parent) ? (uint32_t)slot : 0;
}

static uint32_t find(const struct lt_stack_table *table, uint32_t parent, uint64_t address) {
    const uint32_t tag = tag_of(parent, address);
    if (lt_unlikely(table->count == 0))
        return 0;
    for (uint32_t i = home(table, tag); table->slots[i]; i = after(table, i)) {
        const uint32_t node = child_in(table->slots[i], tag, parent, address);
        if (node)
            return node;
    }
    return 0;
}

static void fill_slot(const struct lt_stack_table *table, uint64_t slot) {
    uint32_t i = home(table, (uint32_t)(slot >> 32));
    while (table->slots[i])
        i = after(table, i);
    table->slots[i] = slot;
}

static bool grow_table(struct lt_stack_table *table) {
    const struct lt_stack_table old = *table;
    size_t old_size = old.count * sizeof *old.slots;
    size_t size = (old_size + old_size / 2 + LT_PAGE) & ~(size_t)(LT_PAGE - 1);
    struct lt_stack_table new = {.slots = lt_pages_new(size), .count = (uint32_t)(size / sizeof *new.slots)};
    if (!new.slots)
        return false;
    for (uint32_t i = 0; i < old.count; i++)
        if (old.slots[i])
            fill_slot(&new, old.slots[i]);
    table->slots = new.slots; /* before the count: never more slots than there are */
    in_program_order();
    table->count = new.count;
    in_program_order();
    lt_pages_free(old.slots, old_size);
    return true;
}

/* Whether another slot can be filled. Where the kernel grants no more memory the table may get fuller than it should.
 */
static bool has_room(struct lt_stack_table *table) {
    uint64_t used = table->used, count = table->count;
    return lt_likely(used * 2 < count) || grow_table(table) || used * 16 < count * 15;
}

static void add_slot(struct lt_stack_table *table, uint32_t parent, uint64_t address, uint32_t node) {
    table->used++;
    in_program_order();
    fill_slot(table, (uint64_t)tag_of(parent, address) << 32 | node);
}

/* An only child needs no slot: its parent names it. Before there is another one it gets a slot too. */
static bool add_slot_of_sibling(struct lt_stack_table *table, uint32_t parent, uint32_t sibling) {
    const uint64_t address = ((const struct lt_node *)lt_arena_known(sibling))->address;
    if (find(table, parent, address))
        return true;
    if (!has_room(table))
        return false;
    add_slot(table, parent, address, sibling);
    return true;
}

static uint32_t new_node(struct lt_stacks *stacks, uint32_t parent, uint64_t address) {
    const uint32_t sibling = parent ? ((const struct lt_node *)lt_arena_known(parent))->child : 0;
    const bool only_child = parent && !sibling;
    if (!only_child && !has_room(&stacks->table))
        return 0;
    if (sibling && !add_slot_of_sibling(&stacks->table, parent, sibling))
        return 0;
    struct lt_node *node = lt_pool_room(&stacks->nodes, stacks->epoch);
    if (!node)
        return 0;
    *node = (struct lt_node){.address = address, .parent = parent};
    lt_pool_publish(&stacks->nodes);
    if (parent == 0)
        atomic_fetch_add_explicit(&stacks->roots[address & 1], 1, memory_order_relaxed);
    const uint32_t ref = lt_arena_ref(node);
    if (!only_child)
        add_slot(&stacks->table, parent, address, ref);
    return ref;
}

static LT_NOINLINE uint32_t find_or_make(struct lt_stacks *stacks, uint32_t parent, uint64_t address) {
    uint32_t node = find(&stacks->table, parent, address);
    return node ? node : new_node(stacks, parent, address);
}

enum { CHILD_STAYS = 8 }; /* captures: where children take turns, the one that stays is met more often than the last */

static LT_ALWAYS_INLINE uint32_t child_of(struct lt_stacks *stacks, uint32_t parent_ref, uint64_t address) {
    struct lt_node *parent = lt_arena_known(parent_ref);
    const uint32_t kept = parent->child, tag = tag_of(parent_ref, address);
    if (lt_likely(kept && ((const struct lt_node *)lt_arena_known(kept))->address == address))
        return kept;
    uint32_t child = child_in(stacks->table.slots[home(&stacks->table, tag)], tag, parent_ref, address);
    if (lt_unlikely(!child) && !(child = find_or_make(stacks, parent_ref, address)))
        return 0;
    if (!kept || stacks->serial % CHILD_STAYS == 0)
        parent->child = child;
    return child;
}

/* Makes the path long enough for `depth` frames; the shorter one stays behind in the arena. */
static bool grow_path(struct lt_stacks *stacks, uint32_t depth) {
    uint32_t capacity = FIRST_PATH;
    while (capacity <= depth)
        capacity *= 2;
    uint32_t *path = lt_arena_alloc(capacity * sizeof *path, LT_ARENA_UNIT);
    if (!path)
        return false;
    if (stacks->path)
        memcpy(path, stacks->path, (stacks->path_depth + 1) * sizeof *path);
    stacks->path = path;
    in_program_order();
    stacks->path_capacity = capacity;
    return true;
}

static bool change_root(struct lt_stacks *stacks, uint32_t epoch, uint64_t key) {
    stacks->path_depth = 0;
    stacks->root_key = LT_NO_ROOT;
    in_program_order();
    stacks->epoch = epoch;
    stacks->path[0] = find_or_make(stacks, 0, key);
    in_program_order();
    stacks->root_key = stacks->path[0] ? key : LT_NO_ROOT;
    return stacks->path[0] != 0;
}

static LT_ALWAYS_INLINE uint64_t root_key(const struct lt_stack *stack) {
    return (uint64_t)stack->epoch * 2 + (stack->flags & LT_STACK_TRUNCATED ? 1 : 0);
}

static LT_ALWAYS_INLINE bool is_ready(const struct lt_stacks *stacks, const struct lt_stack *stack) {
    return stacks->root_key == root_key(stack) && stack->depth < stacks->path_capacity;
}

/* Makes the path ready for `stack`: enough room, the right root. */
static LT_COLD bool prepare(struct lt_stacks *stacks, const struct lt_stack *stack) {
    return (stack->depth < stacks->path_capacity || grow_path(stacks, stack->depth)) &&
           (stacks->root_key == root_key(stack) || change_root(stacks, stack->epoch, root_key(stack)));
}

/* How many nodes of the path are also those of `stack`: `reused` refers to the capture before, and the path must be
 * that one's. */
static LT_ALWAYS_INLINE uint32_t shared_levels(const struct lt_stacks *stacks, const struct lt_stack *stack) {
    if (lt_unlikely(stack->serial != stacks->serial + 1))
        return 0;
    return stack->reused < stacks->path_depth ? stack->reused : stacks->path_depth;
}

/* The node of the innermost frame, 0 where memory is used up. The path is ready. */
static LT_ALWAYS_INLINE uint32_t innermost(struct lt_stacks *stacks, const struct lt_stack *stack) {
    uint32_t level = shared_levels(stacks, stack), depth = stack->depth, *const path = stacks->path;
    const uintptr_t *const frames = stack->frames;
    uint32_t node = path[level];
    stacks->path_depth = level;
    stacks->serial = stack->serial;
    in_program_order();
    for (; level < depth; level++) {
        node = child_of(stacks, node, frames[level]);
        if (lt_unlikely(!node))
            return 0;
        path[level + 1] = node;
    }
    in_program_order();
    stacks->path_depth = depth;
    return node;
}

static bool is_warm_up(void) {
    const uint32_t until = atomic_load_explicit(&lt_stacks_warm_until, memory_order_relaxed);
    return until && lt_clock_cs() < until;
}

static LT_COLD struct lt_site *new_site(struct lt_stacks *stacks, struct lt_node *node, enum lt_kind kind) {
    const uint32_t number = lt_site_number_new(); /* first: a fork in between must not leave it above the inherited */
    struct lt_site *site = number ? lt_pool_room(&stacks->sites, stacks->epoch) : NULL;
    if (!site)
        return NULL;
    memset(site, 0, stacks->sites.record_size);
    site->node = lt_arena_ref(node);
    site->next = node->site;
    site->kind = kind & 15u;
    site->flags = ((stacks->root_key & 1 ? LT_SITE_TRUNCATED : 0) | (is_warm_up() ? LT_SITE_WARMUP : 0)) & 3u;
    site->number = number & ((1u << LT_SITE_BITS) - 1);
    lt_site_number_give(number, site);
    lt_pool_publish(&stacks->sites);
    node->site = lt_arena_ref(site);
    return site;
}

struct lt_site *lt_stacks_site(struct lt_stacks *stacks, const struct lt_stack *stack, enum lt_kind kind) {
    if (lt_unlikely(!is_ready(stacks, stack)) && !prepare(stacks, stack))
        return NULL;
    const uint32_t ref = innermost(stacks, stack);
    if (lt_unlikely(!ref))
        return NULL;
    struct lt_node *node = lt_arena_known(ref);
    struct lt_site *site = lt_arena_at(node->site);
    while (site && lt_unlikely(site->kind != kind))
        site = lt_arena_at(site->next);
    return lt_likely(site) ? site : new_site(stacks, node, kind);
}

void lt_stacks_init(struct lt_stacks *stacks) {
    const size_t samples = lt_sampling_mean ? sizeof(struct lt_site_samples) : 0;
    *stacks = (struct lt_stacks){.root_key = LT_NO_ROOT,
                                 .nodes.record_size = sizeof(struct lt_node),
                                 .sites.record_size = (uint32_t)(sizeof(struct lt_site) + samples)};
}

void lt_stacks_adopted(struct lt_stacks *stacks) {
    stacks->path_depth = 0;
}

void lt_stacks_forked(struct lt_stacks *stacks, bool in_use) {
    if (!in_use) {
        lt_pages_free(stacks->table.slots, lt_stacks_table_bytes(stacks));
        stacks->table = (struct lt_stack_table){.count = 0};
    }
    stacks->path_depth = 0;
    stacks->root_key = LT_NO_ROOT;
    atomic_store_explicit(&stacks->roots[0], 0, memory_order_relaxed);
    atomic_store_explicit(&stacks->roots[1], 0, memory_order_relaxed);
    lt_pool_forget(&stacks->nodes);
    lt_pool_forget(&stacks->sites);
}

uint64_t lt_stacks_table_bytes(const struct lt_stacks *stacks) {
    return stacks->table.count * sizeof *stacks->table.slots;
}
