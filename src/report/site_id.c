#include "report/site_id.h"

#include "report/pool.h"

#include <string.h>

static const uint64_t empty_stack = 0x6c65616b747261;

/* The finaliser of splitmix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014). */
uint64_t lt_id_mix(uint64_t state, uint64_t word) {
    uint64_t x = state + word;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
    x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
    return x ^ (x >> 31);
}

/* http://www.isthe.com/chongo/tech/comp/fnv/ */
uint64_t lt_id_bytes(const void *bytes, size_t size) {
    const uint8_t *byte = bytes;
    uint64_t hash = 0xcbf29ce484222325;
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ byte[i]) * 0x100000001b3;
    return hash;
}

uint64_t lt_module_id(const struct lt_dump_module *module) {
    if (module->build_id_size)
        return lt_id_bytes(module->build_id, module->build_id_size);
    return module->path && module->path[0] ? lt_id_bytes(module->path, strlen(module->path)) : 0;
}

void lt_stack_ids(uint64_t *ids, const struct lt_dump *dump, const bool *own_module) {
    struct lt_pool scratch = {0};
    uint64_t *module_ids = lt_pool_alloc(&scratch, dump->module_count, sizeof *module_ids);
    for (size_t i = 1; i < dump->module_count; i++)
        module_ids[i] = lt_module_id(&dump->modules[i]);
    ids[0] = empty_stack;
    for (size_t i = 1; i < dump->node_count; i++) { /* a parent stands before its children */
        const struct lt_dump_node *node = &dump->nodes[i];
        ids[i] = ids[node->parent];
        if (!own_module[node->module])
            ids[i] = lt_id_mix(lt_id_mix(ids[i], module_ids[node->module]), node->offset);
    }
    lt_pool_free(&scratch);
}

uint64_t lt_site_id(uint64_t stack_id, unsigned kind) {
    return lt_id_mix(stack_id, kind);
}
