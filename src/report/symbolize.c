/* The front: sorts a batch so that each module's addresses come in ascending order (neighbours share a compilation
 * unit, whose decoding is the cost), and keeps the modules. */
#include "report/symbolize.h"

#include "report/symbolize_module.h"
#include "report/symbolize_ranges.h"
#include "report/symbolize_run.h"

#include <errno.h>
#include <libelf.h>
#include <stdlib.h>

enum { PROGRESS_STEP = 64 }; /* addresses: a few milliseconds where it is slow */

struct lt_symbolizer {
    struct lt_symbol_run run;
    struct lt_symbol_module **modules;
    size_t module_count, module_capacity;
};

struct lt_symbolizer *lt_symbolizer_new(const struct lt_symbolizer_options *options) {
    struct lt_symbolizer *symbolizer = calloc(1, sizeof *symbolizer);
    if (!symbolizer || elf_version(EV_CURRENT) == EV_NONE) {
        free(symbolizer);
        return NULL;
    }
    if (lt_symbol_run_open(&symbolizer->run, options) != 0) {
        lt_symbolizer_free(symbolizer);
        return NULL;
    }
    return symbolizer;
}

void lt_symbolizer_free(struct lt_symbolizer *symbolizer) {
    if (!symbolizer)
        return;
    for (size_t i = 0; i < symbolizer->module_count; i++)
        lt_symbol_module_free(symbolizer->modules[i]);
    free(symbolizer->modules);
    lt_symbol_run_close(&symbolizer->run);
    free(symbolizer);
}

static struct lt_symbol_module *known_module(const struct lt_symbolizer *symbolizer,
                                             const struct lt_dump_module *asked) {
    for (size_t i = 0; i < symbolizer->module_count; i++)
        if (lt_symbol_module_is(symbolizer->modules[i], asked))
            return symbolizer->modules[i];
    return NULL;
}

static struct lt_symbol_module *module_for(struct lt_symbolizer *symbolizer, const struct lt_dump_module *asked) {
    struct lt_symbol_module *module = known_module(symbolizer, asked);
    if (module || lt_array_reserve((void **)&symbolizer->modules, &symbolizer->module_capacity,
                                   symbolizer->module_count + 1, sizeof(struct lt_symbol_module *)) != 0)
        return module;
    module = lt_symbol_module_new(&symbolizer->run, asked);
    if (module)
        symbolizer->modules[symbolizer->module_count++] = module;
    return module;
}

static int compare_queries(const void *left, const void *right) {
    const struct lt_symbol_query *a = *(struct lt_symbol_query *const *)left,
                                 *b = *(struct lt_symbol_query *const *)right;
    if (a->module != b->module)
        return (uintptr_t)a->module < (uintptr_t)b->module ? -1 : 1;
    return a->offset < b->offset ? -1 : a->offset > b->offset;
}

static void answer_empty(struct lt_symbol_query *query) {
    static const struct lt_symbol_line unknown;
    query->lines = &unknown;
    query->line_count = 1;
}

/* The queries sorted, or NULL where memory ran out. */
static struct lt_symbol_query **sort_queries(struct lt_symbol_query *queries, size_t count) {
    struct lt_symbol_query **sorted = calloc(count, sizeof(struct lt_symbol_query *));
    for (size_t i = 0; i < count; i++) {
        answer_empty(&queries[i]);
        if (sorted)
            sorted[i] = &queries[i];
    }
    if (sorted)
        qsort(sorted, count, sizeof *sorted, compare_queries);
    return sorted;
}

/* Answers the run of queries that ask for the same module as the first; returns how many they are. */
static size_t resolve_module(struct lt_symbolizer *symbolizer, struct lt_symbol_query **queries, size_t count) {
    struct lt_symbol_module *module = module_for(symbolizer, queries[0]->module);
    size_t done = 0;
    symbolizer->run.progress.module = lt_symbol_module_label(queries[0]->module);
    for (; done < count && queries[done]->module == queries[0]->module; done++) {
        if (module)
            queries[done]->lines = lt_symbol_module_lines(module, queries[done]->offset, &queries[done]->line_count);
        if (++symbolizer->run.progress.done % PROGRESS_STEP == 0)
            lt_symbol_progress(&symbolizer->run);
    }
    if (module)
        lt_symbol_module_finish(module);
    else
        symbolizer->run.names.out_of_memory = true;
    return done;
}

LT_STATUS lt_symbolizer_resolve(struct lt_symbolizer *symbolizer, struct lt_symbol_query *queries, size_t count) {
    if (count == 0)
        return 0;
    struct lt_symbol_query **sorted = sort_queries(queries, count);
    if (!sorted)
        return -ENOMEM;
    symbolizer->run.progress = (struct lt_symbolizer_progress){.total = count};
    for (size_t done = 0; done < count;)
        done += resolve_module(symbolizer, sorted + done, count - done);
    lt_symbol_progress(&symbolizer->run);
    free(sorted);
    return symbolizer->run.names.out_of_memory ? -ENOMEM : 0;
}

enum lt_symbol_source lt_symbolizer_source(const struct lt_symbolizer *symbolizer,
                                           const struct lt_dump_module *module) {
    const struct lt_symbol_module *known = known_module(symbolizer, module);
    return known ? lt_symbol_module_source(known) : LT_SYMBOLS_UNASKED;
}
