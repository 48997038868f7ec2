#include "report/diff.h"

#include "report/names.h"
#include "report/site_id.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Sites of one side that have not met theirs yet. */
struct side {
    struct entry {
        uint64_t key;
        const struct lt_site *site;
    } * entries;
    size_t count;
};

struct matching {
    struct lt_table *table;
    struct side newer, older;
};

/* Order of the call instructions, innermost first; of sites with equal names, i.e. about the same shape. */
static int compare_places(const struct lt_site *a, const struct lt_site *b) {
    uint32_t x = a->node, y = b->node;
    for (; x && y; x = a->model->dump->nodes[x].parent, y = b->model->dump->nodes[y].parent) {
        uint64_t left = a->model->dump->nodes[x].offset, right = b->model->dump->nodes[y].offset;
        if (left != right)
            return left < right ? -1 : 1;
    }
    return (x != 0) - (y != 0);
}

static int compare_entries(const void *left, const void *right) {
    const struct entry *a = left, *b = right;
    if (a->key != b->key)
        return a->key < b->key ? -1 : 1;
    return compare_places(a->site, b->site);
}

static void add_row(struct lt_table *table, const struct entry *newer, size_t newer_count, const struct entry *older,
                    size_t older_count) {
    const struct entry *shown = newer_count ? newer : older;
    struct lt_row row = {.site = shown[0].site,
                         .site_count = newer_count ? newer_count : older_count,
                         .kind = shown[0].site->kind,
                         .truncated = shown[0].site->truncated,
                         .figures = {.youngest = LT_NO_AGE, .oldest = LT_NO_AGE}};
    for (size_t i = 0; i < newer_count; i++) {
        lt_figures_add(&row.figures, &newer[i].site->figures);
        if (newer[i].site->figures.live.bytes > row.site->figures.live.bytes)
            row.site = newer[i].site;
    }
    for (size_t i = 0; i < older_count; i++) {
        row.figures.base.count += older[i].site->figures.live.count;
        row.figures.base.bytes += older[i].site->figures.live.bytes;
        row.figures.base_variance = lt_variance_sum(row.figures.base_variance, older[i].site->figures.live_variance);
    }
    lt_table_add(table, &row);
}

static size_t run_length(const struct side *side, size_t from) {
    size_t to = from;
    while (to < side->count && side->entries[to].key == side->entries[from].key)
        to++;
    return to - from;
}

static void meet(struct lt_table *table, const struct entry *newer, size_t newer_count, const struct entry *older,
                 size_t older_count) {
    if (newer_count != older_count) {
        add_row(table, newer, newer_count, older, older_count);
        return;
    }
    for (size_t i = 0; i < newer_count; i++)
        add_row(table, &newer[i], 1, &older[i], 1);
}

/* Makes rows of all entries whose key stands on both sides; the others stay. */
static void match(struct matching *matching) {
    struct side *newer = &matching->newer, *older = &matching->older;
    if (!newer->count || !older->count)
        return;
    qsort(newer->entries, newer->count, sizeof *newer->entries, compare_entries);
    qsort(older->entries, older->count, sizeof *older->entries, compare_entries);
    size_t n = 0, o = 0, newer_left = 0, older_left = 0;
    while (n < newer->count && o < older->count) {
        if (newer->entries[n].key < older->entries[o].key) {
            newer->entries[newer_left++] = newer->entries[n++];
        } else if (newer->entries[n].key > older->entries[o].key) {
            older->entries[older_left++] = older->entries[o++];
        } else {
            size_t newer_run = run_length(newer, n), older_run = run_length(older, o);
            meet(matching->table, newer->entries + n, newer_run, older->entries + o, older_run);
            n += newer_run;
            o += older_run;
        }
    }
    while (n < newer->count)
        newer->entries[newer_left++] = newer->entries[n++];
    while (o < older->count)
        older->entries[older_left++] = older->entries[o++];
    newer->count = newer_left;
    older->count = older_left;
}

/* The compiler's clones of a function come and go between builds: "f [clone .part.0]", "f.constprop.0". */
static size_t plain_length(const char *function) {
    static const char *const suffixes[] = {" [clone", ".isra.", ".constprop.", ".part.", ".cold", ".lto_priv."};
    size_t length = strlen(function);
    for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
        const char *found = strstr(function, suffixes[i]);
        if (found && found > function && (size_t)(found - function) < length)
            length = (size_t)(found - function);
    }
    return length;
}

static uint64_t add_line(uint64_t key, const struct lt_symbol_line *line, const struct lt_dump_node *node,
                         const struct lt_dump_module *module, bool with_lines) {
    if (!line->function) {
        const char *name = lt_module_name(module);
        return lt_id_mix(lt_id_mix(key, lt_id_bytes(name, strlen(name))), node->offset);
    }
    key = lt_id_mix(key, lt_id_bytes(line->function, plain_length(line->function)));
    if (with_lines && line->file)
        key = lt_id_mix(lt_id_mix(key, lt_id_bytes(line->file, strlen(line->file))), line->line);
    return key;
}

static uint64_t name_key(const struct lt_site *site, bool with_lines) {
    const struct lt_model *model = site->model;
    uint64_t key = site->kind;
    for (uint32_t at = site->node; at; at = model->dump->nodes[at].parent) {
        const struct lt_dump_node *node = &model->dump->nodes[at];
        const struct lt_resolved *resolved = &model->resolved[at];
        const struct lt_dump_module *module = node->module ? &model->dump->modules[node->module] : NULL;
        for (uint32_t i = 0; resolved->lines && i < resolved->line_count; i++)
            key = add_line(key, &resolved->lines[i], node, module, with_lines);
    }
    return key;
}

static void set_name_keys(struct side *side, bool with_lines) {
    for (size_t i = 0; i < side->count; i++)
        side->entries[i].key = name_key(side->entries[i].site, with_lines);
}

static void need_names(const struct side *side) {
    for (size_t i = 0; i < side->count; i++)
        lt_names_need(side->entries[i].site);
}

static void fill_side(struct side *side, const struct lt_model *model, struct lt_pool *pool) {
    side->entries = lt_pool_alloc(pool, model->site_count, sizeof *side->entries);
    side->count = model->site_count;
    for (size_t i = 0; i < model->site_count; i++)
        side->entries[i] = (struct entry){model->sites[i].id, &model->sites[i]};
}

static bool has_module(const struct lt_dump *dump, uint64_t module_id) {
    for (size_t i = 1; i < dump->module_count; i++)
        if (lt_module_id(&dump->modules[i]) == module_id)
            return true;
    return false;
}

/* Per node of `model`: whether its stack runs through a module that the other dump does not know, such as an older
 * build. */
static bool *rebuilt_stacks(const struct lt_model *model, const struct lt_dump *other, struct lt_pool *pool) {
    const struct lt_dump *dump = model->dump;
    bool *rebuilt_module = lt_pool_alloc(pool, dump->module_count, sizeof *rebuilt_module);
    bool *rebuilt = lt_pool_alloc(pool, dump->node_count, sizeof *rebuilt);
    for (size_t i = 1; i < dump->module_count; i++)
        rebuilt_module[i] = !model->own_module[i] && !has_module(other, lt_module_id(&dump->modules[i]));
    for (size_t i = 1; i < dump->node_count; i++)
        rebuilt[i] = rebuilt[dump->nodes[i].parent] || rebuilt_module[dump->nodes[i].module];
    return rebuilt;
}

/* Of what has not met by identity only rebuilt code may meet by names: the rest is really new, or gone. */
static void keep_rebuilt(struct matching *matching, struct side *side, const struct lt_model *model,
                         const struct lt_dump *other, struct lt_pool *pool) {
    bool *rebuilt = side->count ? rebuilt_stacks(model, other, pool) : NULL;
    bool is_newer = side == &matching->newer;
    size_t kept = 0;
    for (size_t i = 0; i < side->count; i++) {
        const struct entry *entry = &side->entries[i];
        if (!entry->site->figures.live.count)
            continue; /* nothing to compare */
        if (rebuilt[entry->site->node])
            side->entries[kept++] = *entry;
        else
            add_row(matching->table, entry, is_newer, entry, !is_newer);
    }
    side->count = kept;
}

static void match_by_names(struct matching *matching, struct lt_model *newer, struct lt_model *older,
                           struct lt_symbolizer *symbolizer) {
    need_names(&matching->newer);
    need_names(&matching->older);
    lt_names_resolve(symbolizer, (struct lt_model *[]){newer, older}, 2);
    for (int with_lines = 1; with_lines >= 0; with_lines--) {
        set_name_keys(&matching->newer, with_lines);
        set_name_keys(&matching->older, with_lines);
        match(matching);
    }
}

void lt_diff(struct lt_table *table, struct lt_model *newer, struct lt_model *older, struct lt_symbolizer *symbolizer) {
    struct lt_pool scratch = {0};
    struct matching matching = {.table = table};
    table->is_diff = true;
    table->estimated_kinds = lt_estimated_kinds(newer->snapshot) | lt_estimated_kinds(older->snapshot);
    fill_side(&matching.newer, newer, &scratch);
    fill_side(&matching.older, older, &scratch);
    match(&matching);
    keep_rebuilt(&matching, &matching.newer, newer, older->dump, &scratch);
    keep_rebuilt(&matching, &matching.older, older, newer->dump, &scratch);
    if (matching.newer.count && matching.older.count)
        match_by_names(&matching, newer, older, symbolizer);
    for (size_t i = 0; i < matching.newer.count; i++)
        add_row(table, &matching.newer.entries[i], 1, NULL, 0);
    for (size_t i = 0; i < matching.older.count; i++)
        add_row(table, NULL, 0, &matching.older.entries[i], 1);
    lt_pool_free(&scratch);
}
