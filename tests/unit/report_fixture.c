#include "report_fixture.h"

#include <stdio.h>

enum { NAMES = 64, LINES = 8 };

struct fake_name {
    char place[64];
    struct lt_symbol_line lines[LINES];
    size_t count;
};

static struct fake_name table[NAMES];
static size_t table_size, queries_seen;
static char interned[1 << 16];
static size_t interned_size;

static const char *intern(const char *text, size_t length) {
    for (size_t at = 0; at < interned_size; at += strlen(interned + at) + 1)
        if (strlen(interned + at) == length && memcmp(interned + at, text, length) == 0)
            return interned + at;
    char *copy = interned + interned_size;
    memcpy(copy, text, length);
    copy[length] = 0;
    interned_size += length + 1;
    return copy;
}

/* Takes the field at *at, up to '|' or the line's end. */
static const char *take_field(const char **at) {
    size_t length = strcspn(*at, "|\n");
    const char *field = intern(*at, length);
    *at += length + ((*at)[length] == '|');
    return field;
}

static void add_name(const char *line) {
    struct fake_name *name = &table[table_size++];
    *name = (struct fake_name){0};
    snprintf(name->place, sizeof name->place, "%s", take_field(&line));
    while (*line && *line != '\n') {
        struct lt_symbol_line *to = &name->lines[name->count++];
        to->function = take_field(&line);
        const char *place = take_field(&line), *colon = strrchr(place, ':');
        if (colon) {
            to->file = intern(place, (size_t)(colon - place));
            to->line = (unsigned)atoi(colon + 1);
        }
    }
    for (size_t i = 0; i + 1 < name->count; i++)
        name->lines[i].inlined = true;
}

void fake_names(const char *names) {
    table_size = queries_seen = 0;
    for (const char *line = names; *line; line += strcspn(line, "\n") + (strchr(line, '\n') != NULL))
        add_name(line);
}

size_t fake_queries(void) {
    return queries_seen;
}

struct lt_symbolizer *lt_symbolizer_new(const struct lt_symbolizer_options *options) {
    (void)options;
    return malloc(1);
}

void lt_symbolizer_free(struct lt_symbolizer *symbolizer) {
    free(symbolizer);
}

int lt_symbolizer_resolve(struct lt_symbolizer *symbolizer, struct lt_symbol_query *queries, size_t count) {
    static const struct lt_symbol_line unknown;
    (void)symbolizer;
    queries_seen += count;
    for (size_t i = 0; i < count; i++) {
        char place[64];
        snprintf(place, sizeof place, "%s+0x%llx", lt_module_name(queries[i].module),
                 (unsigned long long)queries[i].offset);
        queries[i].lines = &unknown;
        queries[i].line_count = 1;
        for (size_t n = 0; n < table_size; n++)
            if (strcmp(table[n].place, place) == 0) {
                queries[i].lines = table[n].lines;
                queries[i].line_count = table[n].count;
            }
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

void fake_dump_make(struct fake_dump *dump, const char *description) {
    dump->made = lt_make_dump(description);
    dump->loaded = (struct lt_loaded){.path = "made.bin"};
    assert_int_equal(lt_dump_parse(&dump->loaded.dump, dump->made.bytes, dump->made.size), 0);
}

void fake_dump_free(struct fake_dump *dump) {
    lt_dump_free(&dump->loaded.dump);
    lt_made_dump_free(&dump->made);
}

static void build(struct fake_report *report, struct lt_model *model, const struct fake_dump *dump) {
    lt_model_build(model, &dump->loaded, lt_find_snapshot(&dump->loaded, LT_LAST_SNAPSHOT), &report->selection);
    for (size_t i = 0; i < model->site_count; i++)
        lt_names_need(&model->sites[i]);
    lt_resources_need_names(model, true);
    lt_names_resolve(report->symbolizer, (struct lt_model *[]){model}, 1);
    if (lt_filter_selects(&report->filter))
        lt_filter_sites(&report->filter, model);
    lt_runtime_mark(model, report->symbolizer);
    lt_allocator_take(model);
}

void fake_report_make(struct fake_report *report, const char *newer, const char *older) {
    report->symbolizer = lt_symbolizer_new(NULL);
    fake_dump_make(&report->newer, newer);
    build(report, &report->model, &report->newer);
    if (older) {
        fake_dump_make(&report->older, older);
        build(report, &report->base, &report->older);
        lt_diff(&report->table, &report->model, &report->base, report->symbolizer);
    } else {
        lt_table_of_model(&report->table, &report->model);
    }
    lt_table_group(&report->table, report->by, &report->filter);
    lt_table_settle(&report->table, !report->everything);
    lt_table_sort(&report->table, report->sort);
    report->shown = lt_table_cut(&report->table, report->top);
}

void fake_report_free(struct fake_report *report) {
    lt_table_free(&report->table);
    lt_model_free(&report->model);
    lt_model_free(&report->base);
    fake_dump_free(&report->newer);
    if (report->older.made.bytes)
        fake_dump_free(&report->older);
    lt_filter_free(&report->filter);
    lt_symbolizer_free(report->symbolizer);
    lt_pool_free(&report->pool);
}

static struct lt_report rendered(struct fake_report *report) {
    struct lt_report form = {.model = &report->model,
                             .base = report->older.made.bytes ? &report->base : NULL,
                             .table = &report->table,
                             .shown = report->shown,
                             .by = report->by,
                             .sort = report->sort,
                             .list = report->list,
                             .top = report->top,
                             .filter = &report->filter,
                             .selection = &report->selection,
                             .recorded = lt_recorded_kinds(&report->model)};
    if (report->hints)
        lt_find_nameless(&form, report->symbolizer, &report->pool);
    return form;
}

char *fake_text(struct fake_report *report, size_t width, bool color) {
    char *text = NULL;
    size_t size;
    struct lt_terminal terminal = {.out = open_memstream(&text, &size), .width = width, .color = color};
    struct lt_report form = rendered(report);
    lt_render_text(&form, &terminal);
    fclose(terminal.out);
    return text;
}

char *fake_json(struct fake_report *report) {
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    struct lt_report form = rendered(report);
    lt_render_json(&form, out);
    fclose(out);
    return text;
}

static void path_of(char path[1024], const char *name) {
    snprintf(path, 1024, "%s/report/%s.txt", LT_GOLDEN, name);
}

static void write_golden(const char *name, const char *text) {
    char path[1024];
    path_of(path, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

static void assert_golden(const char *name, const char *text) {
    static char expected[1 << 16];
    char path[1024];
    path_of(path, name);
    FILE *file = fopen(path, "r");
    size_t size = file ? fread(expected, 1, sizeof expected - 1, file) : 0;
    if (file)
        fclose(file);
    expected[size] = 0;
    if (strcmp(text, expected) != 0)
        fail_msg("differs from %s:\n%s", path, text);
}

void assert_golden_text(struct fake_report *r, const char *newer, const char *older, size_t width, const char *golden) {
    fake_report_make(r, newer, older);
    char *text = fake_text(r, width, false);
    if (getenv("LEAKTRACK_UPDATE_GOLDEN"))
        write_golden(golden, text);
    assert_golden(golden, text);
    free(text);
    fake_report_free(r);
}
