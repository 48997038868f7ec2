#include "report/go_runtime.h"

#include "report/names.h"

#include <string.h>

uint32_t lt_innermost_node(const struct lt_model *model, uint32_t node) {
    while (node && model->own_module[model->dump->nodes[node].module])
        node = model->dump->nodes[node].parent;
    return node;
}

static bool is_called_by_go(const struct lt_model *model, const struct lt_site *site) {
    const struct lt_resolved *resolved = &model->resolved[lt_innermost_node(model, site->node)];
    for (uint32_t i = 0; resolved->lines && i < resolved->line_count; i++)
        if (resolved->lines[i].function && strcmp(resolved->lines[i].function, "x_cgo_mmap") == 0)
            return true;
    return false;
}

void lt_go_runtime_take(struct lt_model *model, struct lt_symbolizer *symbolizer) {
    size_t kept = 0;
    model->is_go_runtime = lt_pool_alloc(&model->pool, model->dump->node_count, sizeof *model->is_go_runtime);
    for (size_t i = 0; i < model->site_count; i++)
        if (model->sites[i].kind == LT_KIND_MAPPING)
            model->resolved[lt_innermost_node(model, model->sites[i].node)].is_needed = true;
    lt_names_resolve(symbolizer, (struct lt_model *[]){model}, 1);
    for (size_t i = 0; i < model->site_count; i++) {
        struct lt_site *site = &model->sites[i];
        if (site->kind == LT_KIND_MAPPING && is_called_by_go(model, site)) {
            model->is_go_runtime[site->node] = true;
            lt_figures_add(&model->go_runtime, &site->figures);
        } else {
            model->sites[kept++] = *site;
        }
    }
    model->site_count = kept;
}

bool lt_is_go_runtime(const struct lt_model *model, const struct lt_dump_holder *holder) {
    return holder->site_kind == LT_KIND_MAPPING && model->is_go_runtime && model->is_go_runtime[holder->node];
}
