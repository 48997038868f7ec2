/* Gives the report a dump with any content (its CRCs made right): selected, grouped, compared with itself and printed
 * in both forms, it must not crash, and nothing that could drive a terminal may get through. Names of functions are the
 * dump's own texts, so that they are hostile, too. */
#include "fuzz/mend_dump.h"
#include "report/diff.h"
#include "report/names.h"
#include "report/render.h"
#include "report/runtime.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool condition) {
    if (!condition)
        abort();
}

/* The symbolizer of this program; session.c wants the other two. */
struct lt_symbolizer {
    char unused;
};

static struct lt_symbol_line lines[3];

struct lt_symbolizer *lt_symbolizer_new(const struct lt_symbolizer_options *options) {
    (void)options;
    return NULL;
}

void lt_symbolizer_free(struct lt_symbolizer *symbolizer) {
    (void)symbolizer;
}

int lt_symbolizer_resolve(struct lt_symbolizer *symbolizer, struct lt_symbol_query *queries, size_t count) {
    (void)symbolizer;
    for (size_t i = 0; i < count; i++) {
        queries[i].lines = &lines[queries[i].offset % 3];
        queries[i].line_count = queries[i].offset % 3 == 1 ? 2 : 1;
    }
    return 0;
}

enum lt_symbol_source lt_symbolizer_source(const struct lt_symbolizer *symbolizer,
                                           const struct lt_dump_module *module) {
    (void)symbolizer;
    (void)module;
    return LT_SYMBOLS_NONE;
}

const char *lt_symbol_module_label(const struct lt_dump_module *module) {
    return module && module->path[0] ? module->path : "[anonymous code]";
}

/* One known and one inlined name, both the dump's. */
static void choose_names(const struct lt_dump *dump) {
    const char *name = dump->module_count > 1 ? dump->modules[1].path : "f";
    lines[0] = (struct lt_symbol_line){0};
    lines[1] = (struct lt_symbol_line){.function = name, .file = dump->process.exe, .line = 7, .inlined = true};
    lines[2] = (struct lt_symbol_line){.function = "g", .file = name, .line = 1};
}

static void check_text(const char *text, size_t size) {
    for (size_t i = 0; i < size; i++)
        check(text[i] == '\n' || (unsigned char)text[i] >= 0x20);
}

static void print(const struct lt_report *report, size_t width) {
    char *text = NULL;
    size_t size;
    struct lt_terminal terminal = {.out = open_memstream(&text, &size), .width = width};
    lt_render_text(report, &terminal);
    lt_render_json(report, terminal.out);
    fclose(terminal.out);
    check_text(text, size);
    free(text);
}

static void report_on(const struct lt_loaded *loaded, unsigned choice) {
    const struct lt_selection selection = {
        .min_age_cs = choice & 1 ? 200 : 0, .inheritable = choice & 16, .warm_up = choice & 32};
    const struct lt_filter filter = {0};
    struct lt_symbolizer symbolizer;
    struct lt_model newer = {0}, older = {0};
    struct lt_table table = {0};
    const bool compares = choice & 2;
    lt_model_build(&newer, loaded, lt_find_snapshot(loaded, LT_LAST_SNAPSHOT), &selection);
    lt_model_build(&older, loaded, lt_find_snapshot(loaded, LT_FIRST_SNAPSHOT), &selection);
    for (size_t i = 0; i < newer.site_count; i++)
        lt_names_need(&newer.sites[i]);
    for (size_t i = 0; i < older.site_count; i++)
        lt_names_need(&older.sites[i]);
    lt_resources_need_names(&newer, choice & 32);
    lt_names_resolve(&symbolizer, (struct lt_model *[]){&newer, &older}, 2);
    lt_runtime_mark(&newer, &symbolizer);
    if (compares)
        lt_diff(&table, &newer, &older, &symbolizer);
    else
        lt_table_of_model(&table, &newer);
    enum lt_by by = (enum lt_by)((choice >> 2) % (LT_BY_MODULE + 1));
    lt_table_group(&table, by, &filter);
    lt_table_settle(&table, false);
    const enum lt_sort sort = (enum lt_sort)(choice % (LT_SORT_GROWTH + 1));
    const size_t top = choice & 64 ? 1 : 0;
    lt_table_sort(&table, sort);
    struct lt_report report = {.model = &newer,
                               .base = compares ? &older : NULL,
                               .table = &table,
                               .shown = lt_table_cut(&table, top),
                               .by = by,
                               .sort = sort,
                               .list = choice & 32,
                               .top = top,
                               .filter = &filter,
                               .selection = &selection};
    print(&report, choice & 8 ? 60 : 0);
    lt_table_free(&table);
    lt_model_free(&newer);
    lt_model_free(&older);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct lt_loaded loaded = {.path = "fuzzed.bin"};
    uint8_t *copy = malloc(size ? size : 1);
    check(copy != NULL);
    memcpy(copy, data, size);
    lt_mend_dump(copy, size);
    if (lt_dump_parse(&loaded.dump, copy, size) == 0) {
        choose_names(&loaded.dump);
        report_on(&loaded, size ? copy[size / 2] : 0);
    }
    lt_dump_free(&loaded.dump);
    free(copy);
    return 0;
}
