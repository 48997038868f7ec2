/* A node's *tag* is a hash of its whole path, made from its parent's tag and its address. So the innermost node of a
 * stack is looked up at once, without those between, which are then proven by following `parent` from it: of the nodes
 * of one stack most were made together and lie side by side. Only a new stack is followed node by node from the
 * outside.
 *
 * A note (unwind.h) is a tag and a node.
 *
 * Any step here may be the last one: a signal handler can jump out of the hook with siglongjmp. So every record is
 * complete before it can be found, and notes are counted after they have been written. The handler runs on this thread,
 * so compiler fences are enough. */
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

_Atomic uint32_t lt_stacks_warm_until;

static void in_program_order(void) {
    atomic_signal_fence(memory_order_seq_cst);
}

static LT_ALWAYS_INLINE uint32_t tag_of(uint32_t parent_tag, uint64_t address) {
    return (uint32_t)(((address ^ parent_tag * 0x9e3779b97f4a7c15u) * 0xd6e8feb86659fd93u) >> 32);
}

static LT_ALWAYS_INLINE uint64_t note_of(uint32_t tag, uint32_t node) {
    return (uint64_t)tag << 32 | node;
}

static LT_ALWAYS_INLINE uint32_t tag_in(uint64_t note) {
    return (uint32_t)(note >> 32);
}

/* The slot where the search for `tag` begins. Multiplying by the table's size instead of masking lets tables grow by
 * half: 50 to 75 % full instead of 37 to 75. */
static LT_ALWAYS_INLINE uint32_t home(const struct lt_stack_table *table, uint32_t tag) {
    return (uint32_t)((uint64_t)tag * table->count >> 32);
}

static LT_ALWAYS_INLINE uint32_t after(const struct lt_stack_table *table, uint32_t index) {
    return index + 1 == table->count ? 0 : index + 1;
}

/* The first node with that tag, from slot *i on: 0 where there is none. *i is then the slot behind. */
static LT_ALWAYS_INLINE uint32_t next_with(const struct lt_stack_table *table, uint32_t tag, uint32_t *i) {
    uint64_t slot;
    while ((slot = table->slots[*i])) {
        *i = after(table, *i);
        if (slot >> 32 == tag)
            return (uint32_t)slot;
    }
    return 0;
}

/* The child of `parent` that has this tag and address, if it has a slot. */
static uint32_t find(const struct lt_stack_table *table, uint32_t tag, uint32_t parent, uint64_t address) {
    if (lt_unlikely(table->count == 0))
        return 0;
    for (uint32_t i = home(table, tag), ref; (ref = next_with(table, tag, &i));) {
        const struct lt_node *node = lt_arena_known(ref);
        if (lt_likely(node->address == address && node->parent == parent))
            return ref;
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
    lt_pages_want_huge(new.slots, size);
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

/* Gives the node a slot, unless it has one. */
static bool add_slot(struct lt_stack_table *table, uint32_t tag, uint32_t ref) {
    const struct lt_node *node = lt_arena_known(ref);
    if (find(table, tag, node->parent, node->address))
        return true;
    if (!has_room(table))
        return false;
    table->used++;
    in_program_order();
    fill_slot(table, note_of(tag, ref));
    return true;
}

/* An only child needs no slot: its parent names it. Before there is another one it gets one too. */
static bool add_slot_of_sibling(struct lt_stack_table *table, uint32_t parent_tag, uint32_t sibling) {
    return add_slot(table, tag_of(parent_tag, ((const struct lt_node *)lt_arena_known(sibling))->address), sibling);
}

static struct lt_node *new_node(struct lt_stacks *stacks, uint32_t parent, uint64_t address) {
    struct lt_node *node = lt_pool_room(&stacks->nodes, stacks->epoch);
    if (!node)
        return NULL;
    *node = (struct lt_node){.address = address, .parent = parent};
    lt_pool_publish(&stacks->nodes);
    return node;
}

/* The root's note, 0 where memory is used up. */
static uint64_t find_or_make_root(struct lt_stacks *stacks, uint64_t key) {
    const uint32_t tag = tag_of(0, key), known = find(&stacks->table, tag, 0, key);
    if (known)
        return note_of(tag, known);
    if (!has_room(&stacks->table))
        return 0;
    const struct lt_node *node = new_node(stacks, 0, key);
    if (!node || !add_slot(&stacks->table, tag, lt_arena_ref(node)))
        return 0;
    atomic_fetch_add_explicit(&stacks->roots[key & 1], 1, memory_order_relaxed);
    return note_of(tag, lt_arena_ref(node));
}

static uint32_t make_child(struct lt_stacks *stacks, uint64_t parent_note, uint64_t address, uint32_t tag) {
    struct lt_node *parent = lt_arena_known((uint32_t)parent_note);
    const bool first = !parent->child;
    if (!first &&
        (!has_room(&stacks->table) || !add_slot_of_sibling(&stacks->table, tag_in(parent_note), parent->child)))
        return 0;
    const struct lt_node *node = new_node(stacks, (uint32_t)parent_note, address);
    if (!node || (!first && !add_slot(&stacks->table, tag, lt_arena_ref(node))))
        return 0;
    if (first)
        parent->child = lt_arena_ref(node);
    return lt_arena_ref(node);
}

/* The note of the child with that address, which is made on first sight; 0 where memory is used up. */
static uint64_t child_of(struct lt_stacks *stacks, uint64_t parent_note, uint64_t address) {
    const struct lt_node *parent = lt_arena_known((uint32_t)parent_note);
    const uint32_t tag = tag_of(tag_in(parent_note), address);
    if (parent->child && ((const struct lt_node *)lt_arena_known(parent->child))->address == address)
        return note_of(tag, parent->child);
    uint32_t child = find(&stacks->table, tag, (uint32_t)parent_note, address);
    if (!child && !(child = make_child(stacks, parent_note, address, tag)))
        return 0;
    return note_of(tag, child);
}

static LT_ALWAYS_INLINE uint64_t root_key(const struct lt_stack *stack) {
    return (uint64_t)stack->epoch * 2 + (stack->flags & LT_STACK_TRUNCATED ? 1 : 0);
}

static LT_COLD bool change_root(struct lt_stacks *stacks, const struct lt_stack *stack) {
    stacks->root_key = LT_NO_ROOT;
    in_program_order();
    stacks->epoch = stack->epoch;
    stacks->root = find_or_make_root(stacks, root_key(stack));
    in_program_order();
    stacks->root_key = stacks->root ? root_key(stack) : LT_NO_ROOT;
    return stacks->root != 0;
}

/* Whether the path from `ref` outwards is that of the frames [known, depth), and ends at `outer`. Writes their notes.
 */
static LT_ALWAYS_INLINE bool is_path(const struct lt_stack *stack, uint32_t known, uint32_t outer, uint32_t ref) {
    for (uint32_t level = stack->depth; level-- > known;) {
        const struct lt_node *node = lt_arena_known(ref);
        if (lt_unlikely(node->address != stack->frames[level] || !node->parent))
            return false;
        stack->notes[level] = note_of(tag_in(stack->notes[level]), ref);
        ref = node->parent;
    }
    return lt_likely(ref == outer);
}

/* The note of the innermost frame, where it has a slot, else 0. */
static LT_ALWAYS_INLINE uint64_t find_innermost(const struct lt_stacks *stacks, const struct lt_stack *stack,
                                                uint32_t known, uint64_t outer) {
    uint32_t tag = tag_in(outer);
    for (uint32_t level = known; level < stack->depth; level++) {
        tag = tag_of(tag, stack->frames[level]);
        stack->notes[level] = note_of(tag, 0);
    }
    for (uint32_t i = home(&stacks->table, tag), ref; (ref = next_with(&stacks->table, tag, &i));)
        if (is_path(stack, known, (uint32_t)outer, ref))
            return note_of(tag, ref);
    return 0;
}

static LT_NOINLINE uint64_t follow(struct lt_stacks *stacks, const struct lt_stack *stack, uint32_t known,
                                   uint64_t note) {
    for (uint32_t level = known; note && level < stack->depth; level++)
        stack->notes[level] = note = child_of(stacks, note, stack->frames[level]);
    return note;
}

/* The note of the innermost frame, 0 where memory is used up. The root is that of the stack. */
static LT_ALWAYS_INLINE uint64_t innermost(struct lt_stacks *stacks, const struct lt_stack *stack) {
    const uint32_t known = *stack->noted;
    const uint64_t outer = known ? stack->notes[known - 1] : stacks->root;
    if (lt_unlikely(known >= stack->depth))
        return outer;
    uint64_t note = find_innermost(stacks, stack, known, outer);
    if (lt_unlikely(!note) && !(note = follow(stacks, stack, known, outer)))
        return 0;
    in_program_order();
    *stack->noted = stack->depth;
    *stack->note_kept = note;
    return note;
}

static bool is_warm_up(void) {
    const uint32_t until = atomic_load_explicit(&lt_stacks_warm_until, memory_order_relaxed);
    return until && lt_clock_cs() < until;
}

/* The node gets a slot, if there is room, so that it is found at once. */
static LT_COLD struct lt_site *new_site(struct lt_stacks *stacks, uint64_t note, enum lt_kind kind) {
    struct lt_node *node = lt_arena_known((uint32_t)note);
    const uint32_t number = lt_site_number_new(); /* first: a fork in between must not leave it above the inherited */
    struct lt_site *site = number ? lt_pool_room(&stacks->sites, stacks->epoch) : NULL;
    if (!site)
        return NULL;
    add_slot(&stacks->table, tag_in(note), (uint32_t)note);
    memset(site, 0, stacks->sites.record_size);
    site->node = (uint32_t)note;
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
    if (lt_unlikely(stacks->root_key != root_key(stack)) && !change_root(stacks, stack))
        return NULL;
    const uint64_t note = lt_likely(stack->note) ? stack->note : innermost(stacks, stack);
    if (lt_unlikely(!note))
        return NULL;
    const struct lt_node *node = lt_arena_known((uint32_t)note);
    struct lt_site *site = lt_arena_at(node->site);
    while (site && lt_unlikely(site->kind != kind))
        site = lt_arena_at(site->next);
    return lt_likely(site) ? site : new_site(stacks, note, kind);
}

void lt_stacks_init(struct lt_stacks *stacks) {
    const size_t samples = lt_sampling_mean ? sizeof(struct lt_site_samples) : 0;
    *stacks = (struct lt_stacks){.root_key = LT_NO_ROOT,
                                 .nodes.record_size = sizeof(struct lt_node),
                                 .sites.record_size = (uint32_t)(sizeof(struct lt_site) + samples)};
}

void lt_stacks_forked(struct lt_stacks *stacks, bool in_use) {
    if (!in_use) {
        lt_pages_free(stacks->table.slots, lt_stacks_table_bytes(stacks));
        stacks->table = (struct lt_stack_table){.count = 0};
    }
    stacks->root_key = LT_NO_ROOT;
    atomic_store_explicit(&stacks->roots[0], 0, memory_order_relaxed);
    atomic_store_explicit(&stacks->roots[1], 0, memory_order_relaxed);
    lt_pool_forget(&stacks->nodes);
    lt_pool_forget(&stacks->sites);
}

uint64_t lt_stacks_table_bytes(const struct lt_stacks *stacks) {
    return stacks->table.count * sizeof *stacks->table.slots;
}
