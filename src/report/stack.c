#include "report/stack.h"

#include "base/attrs.h"
#include "report/names.h"
#include "report/runtime.h"

#include <stdlib.h>
#include <string.h>

static void push(struct lt_stack *stack, const struct lt_frame *frame) {
    stack->frames = lt_grow(stack->frames, &stack->capacity, stack->count + 1, sizeof *stack->frames);
    stack->frames[stack->count++] = *frame;
}

static void push_node(struct lt_stack *stack, const struct lt_model *model, uint32_t node,
                      const struct lt_filter *filter) {
    static const struct lt_symbol_line unknown;
    const struct lt_dump_node *at = &model->dump->nodes[node];
    const struct lt_resolved *resolved = &model->resolved[node];
    const struct lt_symbol_line *lines = resolved->lines ? resolved->lines : &unknown;
    size_t count = resolved->lines ? resolved->line_count : 1;
    struct lt_frame frame = {.module = at->module ? &model->dump->modules[at->module] : NULL, .offset = at->offset};
    for (size_t i = 0; i < count; i++) {
        if (!lt_filter_shows(filter, &lines[i], frame.module))
            continue;
        frame.function = lines[i].function;
        frame.file = lines[i].file;
        frame.line = lines[i].line;
        frame.inlined = lines[i].inlined;
        push(stack, &frame);
    }
}

void lt_stack_get(struct lt_stack *stack, const struct lt_site *site, const struct lt_filter *filter) {
    const struct lt_model *model = site->model;
    stack->count = 0;
    for (uint32_t node = site->node; node; node = model->dump->nodes[node].parent)
        if (!model->own_module[model->dump->nodes[node].module])
            push_node(stack, model, node, filter);
}

void lt_stack_free(struct lt_stack *stack) {
    free(stack->frames);
    *stack = (struct lt_stack){0};
}

static bool belongs_to_library(const struct lt_frame *frame) {
    static const char *const functions[] = {
        "operator new", "std::", "__gnu_cxx::", "void std::", "void* std::", "alloc::", "__rust_", "__rg_", "__rdl_"};
    for (size_t i = 0; frame->function && i < LT_ARRAY_SIZE(functions); i++)
        if (strncmp(frame->function, functions[i], strlen(functions[i])) == 0)
            return true;
    return lt_is_runtime_module(frame->module);
}

const struct lt_frame *lt_stack_place(const struct lt_stack *stack) {
    for (size_t i = 0; i < stack->count; i++)
        if (!belongs_to_library(&stack->frames[i]))
            return &stack->frames[i];
    return stack->count ? &stack->frames[0] : NULL;
}

const char *lt_base_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash && slash[1] ? slash + 1 : path;
}

const char *lt_module_name(const struct lt_dump_module *module) {
    return lt_base_name(lt_symbol_module_label(module));
}
