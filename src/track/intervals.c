#include "track/intervals.h"

#include "os/arena.h"

/* The compiler keeps the order of these stores; what else may see them in the making (a fork child, a signal handler
 * after a jump) sees them in the processor's own order. */
static void set(uint32_t *link, uint32_t ref) {
    __atomic_store_n(link, ref, __ATOMIC_RELEASE);
}

static struct lt_interval *node_at(uint32_t ref) {
    return lt_arena_at(ref);
}

/* The links, one on each level, that lead across `address`: to the first node there that ends above it. */
static void find(struct lt_intervals *list, uintptr_t address, uint32_t *links[LT_INTERVAL_LEVELS]) {
    uint32_t *row = list->first;
    for (unsigned level = LT_INTERVAL_LEVELS; level-- > 0;) {
        for (struct lt_interval *node; (node = node_at(row[level])) && node->mapping.end <= address;)
            row = node->next;
        links[level] = &row[level];
    }
}

struct lt_interval *lt_intervals_at(struct lt_intervals *list, uintptr_t address) {
    uint32_t *links[LT_INTERVAL_LEVELS];
    find(list, address, links);
    return node_at(*links[0]);
}

struct lt_interval *lt_intervals_after(const struct lt_interval *node) {
    return node_at(node->next[0]);
}

/* Each level holds a quarter of the one below (xorshift: G. Marsaglia, JSS 8(14), 2003). */
static uint32_t random_height(struct lt_intervals *list) {
    uint32_t x = list->random ? list->random : 0x9e3779b9;
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    list->random = x;
    uint32_t height = 1;
    for (; height < LT_INTERVAL_LEVELS && (x & 3) == 0; x >>= 2)
        height++;
    return height;
}

static struct lt_interval *new_node(struct lt_intervals *list) {
    const uint32_t height = random_height(list);
    struct lt_interval *node = node_at(list->unused[height]);
    if (node)
        set(&list->unused[height], node->next[0]);
    else
        node = lt_arena_alloc(sizeof *node + height * sizeof node->next[0], LT_ARENA_UNIT);
    if (node)
        node->height = height;
    return node;
}

struct lt_interval *lt_intervals_spare(struct lt_intervals *list, const struct lt_mapping *mapping) {
    struct lt_interval *node = new_node(list);
    if (node)
        node->mapping = *mapping;
    return node;
}

void lt_intervals_give_back(struct lt_intervals *list, struct lt_interval *node) {
    set(&node->next[0], list->unused[node->height]);
    set(&list->unused[node->height], lt_arena_ref(node));
}

struct lt_interval *lt_intervals_insert(struct lt_intervals *list, const struct lt_mapping *mapping) {
    struct lt_interval *node = lt_intervals_spare(list, mapping);
    if (!node)
        return NULL;
    uint32_t *links[LT_INTERVAL_LEVELS];
    find(list, mapping->start, links);
    for (uint32_t level = 0; level < node->height; level++)
        set(&node->next[level], *links[level]);
    for (uint32_t level = 0; level < node->height; level++)
        set(links[level], lt_arena_ref(node));
    return node;
}

void lt_intervals_remove(struct lt_intervals *list, struct lt_interval *node) {
    uint32_t *links[LT_INTERVAL_LEVELS];
    find(list, node->mapping.start, links);
    for (uint32_t level = node->height; level-- > 0;)
        if (*links[level] == lt_arena_ref(node)) /* not so where its insertion was never finished */
            set(links[level], node->next[level]);
    lt_intervals_give_back(list, node);
}
