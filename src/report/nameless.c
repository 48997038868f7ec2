#include "report/nameless.h"

#include "report/runtime.h"

#include <stdlib.h>

enum { MOST_NAMED = 3 };

static bool lacks_symbols(const struct lt_symbolizer *symbolizer, const struct lt_frame *frame) {
    if (frame->file || !frame->module || frame->module->path[0] != '/' || lt_is_runtime_module(frame->module))
        return false;
    enum lt_symbol_source source = lt_symbolizer_source(symbolizer, frame->module);
    return source == LT_SYMBOLS_NONE || source == LT_SYMBOLS_SYMBOL_TABLE;
}

struct modules {
    const struct lt_dump_module **items;
    size_t count, capacity;
};

static bool has(const struct modules *modules, const struct lt_dump_module *module) {
    for (size_t i = 0; i < modules->count; i++)
        if (modules->items[i] == module)
            return true;
    return false;
}

static void add(struct modules *modules, const struct lt_dump_module *module) {
    if (has(modules, module))
        return;
    modules->items = lt_grow(modules->items, &modules->capacity, modules->count + 1, sizeof(void *));
    modules->items[modules->count++] = module;
}

static const char *text_of(const struct modules *modules, const struct modules *told, struct lt_pool *pool) {
    const char *text = NULL;
    size_t named = 0, left = 0;
    for (size_t i = 0; i < modules->count; i++) {
        if (told && has(told, modules->items[i]))
            continue;
        if (named == MOST_NAMED) {
            left++;
            continue;
        }
        text = lt_pool_format(pool, "%s%s%s", text ? text : "", text ? ", " : "", lt_module_name(modules->items[i]));
        named++;
    }
    return left ? lt_pool_format(pool, "%s and %zu more", text, left) : text;
}

void lt_find_nameless(struct lt_report *report, const struct lt_symbolizer *symbolizer, struct lt_pool *pool) {
    struct modules nameless = {0}, lineless = {0};
    struct lt_stack stack = {0};
    for (size_t i = 0; i < report->shown && report->by == LT_BY_STACK; i++) {
        lt_stack_get(&stack, report->table->rows[i].site, report->filter);
        for (size_t k = 0; k < stack.count; k++)
            if (lacks_symbols(symbolizer, &stack.frames[k]))
                add(stack.frames[k].function ? &lineless : &nameless, stack.frames[k].module);
    }
    report->nameless = text_of(&nameless, NULL, pool);
    report->lineless = text_of(&lineless, &nameless, pool);
    lt_stack_free(&stack);
    free(nameless.items);
    free(lineless.items);
}
