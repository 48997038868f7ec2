#include "report/names.h"

#include "report/message.h"

#include <stdlib.h>

void lt_names_need(const struct lt_site *site) {
    const struct lt_model *model = site->model;
    uint32_t node = site->node;
    for (; node && !model->resolved[node].is_rooted; node = model->dump->nodes[node].parent)
        model->resolved[node].is_needed = model->resolved[node].is_rooted = true;
}

static bool is_open(const struct lt_model *model, size_t node) {
    const struct lt_resolved *resolved = &model->resolved[node];
    return resolved->is_needed && !resolved->lines && !model->own_module[model->dump->nodes[node].module];
}

static size_t collect(const struct lt_model *model, struct lt_symbol_query *queries) {
    size_t count = 0;
    for (size_t i = 1; i < model->dump->node_count; i++) {
        const struct lt_dump_node *node = &model->dump->nodes[i];
        if (!is_open(model, i))
            continue;
        if (queries)
            queries[count] = (struct lt_symbol_query){
                .module = node->module ? &model->dump->modules[node->module] : NULL, .offset = node->offset};
        count++;
    }
    return count;
}

static size_t distribute(struct lt_model *model, const struct lt_symbol_query *queries) {
    size_t count = 0;
    for (size_t i = 1; i < model->dump->node_count; i++) {
        if (!is_open(model, i))
            continue;
        model->resolved[i].lines = queries[count].lines;
        model->resolved[i].line_count = (uint32_t)queries[count].line_count;
        count++;
    }
    return count;
}

void lt_names_resolve(struct lt_symbolizer *symbolizer, struct lt_model *const *models, size_t count) {
    struct lt_symbol_query *queries = NULL;
    size_t capacity = 0, total = 0, done = 0;
    for (size_t i = 0; i < count; i++)
        total += collect(models[i], NULL);
    if (!total)
        return;
    queries = lt_grow(queries, &capacity, total, sizeof *queries);
    for (size_t i = 0; i < count; i++)
        done += collect(models[i], queries + done);
    if (lt_symbolizer_resolve(symbolizer, queries, total) < 0)
        lt_warn("memory ran out: some frames have no names");
    done = 0;
    for (size_t i = 0; i < count; i++)
        done += distribute(models[i], queries + done);
    free(queries);
}
