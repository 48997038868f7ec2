#include "report/allocator.h"

#include "report/go_runtime.h"

#include <string.h>

static bool is_allocator(const struct lt_dump_module *module) {
    static const char *const names[] = {"libjemalloc", "libtcmalloc", "libmimalloc", "libsnmalloc", "librpmalloc"};
    const char *slash = strrchr(module->path, '/'), *name = slash ? slash + 1 : module->path;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strncmp(name, names[i], strlen(names[i])) == 0)
            return true;
    return false;
}

static bool is_called_by_allocator(const struct lt_model *model, uint32_t node) {
    const struct lt_dump *dump = model->dump;
    return is_allocator(&dump->modules[dump->nodes[lt_innermost_node(model, node)].module]);
}

bool lt_is_allocators(const struct lt_model *model, const struct lt_dump_holder *holder) {
    return holder->site_kind == LT_KIND_MAPPING && is_called_by_allocator(model, holder->node);
}

void lt_allocator_take(struct lt_model *model) {
    size_t kept = 0;
    for (size_t i = 0; i < model->site_count; i++) {
        struct lt_site *site = &model->sites[i];
        if (site->kind == LT_KIND_MAPPING && is_called_by_allocator(model, site->node))
            lt_figures_add(&model->allocator, &site->figures);
        else
            model->sites[kept++] = *site;
    }
    model->site_count = kept;
}
