/* The symbolizer's front: what it is asked and what it answers. This first cut knows no files: every address has its
 * one empty line, so that what prints can be built against it. */
#include "report/symbolize.h"

#include <stdlib.h>
#include <string.h>

struct lt_symbolizer {
    struct lt_symbol_line unknown;
};

struct lt_symbolizer *lt_symbolizer_new(const struct lt_symbolizer_options *options) {
    (void)options;
    return calloc(1, sizeof(struct lt_symbolizer));
}

void lt_symbolizer_free(struct lt_symbolizer *symbolizer) {
    free(symbolizer);
}

LT_STATUS lt_symbolizer_resolve(struct lt_symbolizer *symbolizer, struct lt_symbol_query *queries, size_t count) {
    for (size_t i = 0; i < count; i++) {
        queries[i].lines = &symbolizer->unknown;
        queries[i].line_count = 1;
    }
    return 0;
}

enum lt_symbol_source lt_symbolizer_source(const struct lt_symbolizer *symbolizer,
                                           const struct lt_dump_module *module) {
    (void)symbolizer, (void)module;
    return LT_SYMBOLS_UNASKED;
}

const char *lt_symbol_module_label(const struct lt_dump_module *module) {
    if (!module || !module->path || !module->path[0])
        return "[anonymous code]";
    if (strstr(module->path, "vdso"))
        return "[vdso]";
    return module->path;
}
