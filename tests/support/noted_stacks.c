#include "noted_stacks.h"

#include "base/hash.h"

#include <stdlib.h>
#include <sys/mman.h>

enum { NODES = 1 << 23, SLOTS = 2 * NODES };

/* A root has depth 0, parent 0, and for its address epoch and truncation mark. */
struct node {
    uintptr_t address;
    uint32_t parent, depth;
};

struct noted_stacks {
    uint64_t count, first; /* nodes so far, of all; notes below `first` were forgotten. 0 is none */
    uintptr_t frames[LT_DEPTH_MAX];
    struct node nodes[NODES];
    uint32_t slots[SLOTS];
};

struct noted_stacks *noted_stacks_new(void) {
    struct noted_stacks *noted =
        mmap(NULL, sizeof *noted, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (noted == MAP_FAILED)
        abort();
    noted->first = noted->count = 1;
    return noted;
}

void noted_stacks_forget(struct noted_stacks *noted) {
    noted->first = noted->count;
}

static uint32_t child(struct noted_stacks *noted, uint32_t parent, uintptr_t address) {
    uint64_t slot = lt_hash_add(lt_hash_add(noted->first, parent), address) % SLOTS;
    for (; noted->slots[slot]; slot = (slot + 1) % SLOTS) {
        const struct node *node = &noted->nodes[noted->slots[slot]];
        if (node->parent == parent && node->address == address && noted->slots[slot] >= noted->first)
            return noted->slots[slot];
    }
    if (noted->count == NODES)
        abort();
    noted->nodes[noted->count] = (struct node){address, parent, parent ? noted->nodes[parent].depth + 1 : 0};
    return noted->slots[slot] = (uint32_t)noted->count++;
}

static uint32_t root(struct noted_stacks *noted, const struct lt_stack *stack) {
    return child(noted, 0, (uintptr_t)stack->epoch * 2 + (stack->flags & LT_STACK_TRUNCATED ? 1 : 0));
}

static bool is_noted(const struct noted_stacks *noted, uint64_t note) {
    return note >= noted->first && note < noted->count;
}

static bool take_frames(struct noted_stacks *noted, struct lt_stack *stack) {
    uint64_t note = stack->note;
    if (!is_noted(noted, note) || noted->nodes[note].depth != stack->depth)
        return false;
    for (uint32_t level = stack->depth; level-- > 0; note = noted->nodes[note].parent)
        noted->frames[level] = noted->nodes[note].address;
    stack->frames = noted->frames;
    return note == root(noted, stack);
}

bool noted_stacks_complete(struct noted_stacks *noted, struct lt_stack *stack, uint32_t *reused) {
    *reused = stack->note ? stack->depth : *stack->noted;
    if (stack->note) {
        stack->frames = noted->frames; /* wrong or not */
        return take_frames(noted, stack);
    }
    uint32_t node = root(noted, stack);
    for (uint32_t level = 0; level < stack->depth; level++) {
        node = child(noted, node, stack->frames[level]);
        if (level < *reused && stack->notes[level] != node)
            return false;
        stack->notes[level] = node;
    }
    *stack->noted = stack->depth;
    *stack->note_kept = node;
    return *reused <= stack->depth;
}
