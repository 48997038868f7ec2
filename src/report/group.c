/* --by: rows whose places are equal become one. The place is lt_stack_place()'s frame, after --show and --hide. */
#include "report/site_id.h"
#include "report/table.h"

#include <stdlib.h>
#include <string.h>

struct keyed {
    uint64_t key;
    struct lt_row row;
};

static const char *label_of(struct lt_pool *pool, const struct lt_frame *place, enum lt_by by) {
    if (by == LT_BY_MODULE)
        return lt_symbol_module_label(place->module);
    if (by == LT_BY_FUNCTION && place->function)
        return place->function;
    if (by == LT_BY_FILE && place->file)
        return place->file;
    if (by == LT_BY_LINE && place->file)
        return lt_pool_format(pool, "%s:%u", place->file, place->line);
    if (by == LT_BY_FILE)
        return lt_pool_format(pool, "no source known, %s", lt_symbol_module_label(place->module));
    return lt_pool_format(pool, "%s+0x%llx", lt_symbol_module_label(place->module), (unsigned long long)place->offset);
}

static void name_row(struct lt_table *table, struct lt_row *row, const struct lt_stack *stack, enum lt_by by) {
    const struct lt_frame *place = lt_stack_place(stack);
    if (!place) {
        row->label = "no frame left";
        return;
    }
    row->label = label_of(&table->pool, place, by);
    if (by == LT_BY_FUNCTION || by == LT_BY_LINE)
        row->function = place->function;
    if (by == LT_BY_FILE || by == LT_BY_LINE)
        row->file = place->file;
    if (by == LT_BY_LINE)
        row->line = place->line;
    row->module = place->module;
}

static int compare(const void *left, const void *right) {
    const struct keyed *a = left, *b = right;
    if (a->key != b->key)
        return a->key < b->key ? -1 : 1;
    uint64_t held_a = a->row.figures.live.bytes, held_b = b->row.figures.live.bytes;
    if (held_a != held_b)
        return held_a < held_b ? 1 : -1; /* the biggest speaks for the group */
    return a->row.site->id == b->row.site->id ? 0 : a->row.site->id < b->row.site->id ? -1 : 1;
}

static bool same_text(const char *a, const char *b) {
    return a == b || (a && b && strcmp(a, b) == 0);
}

static void join(struct lt_row *group, const struct lt_row *row) {
    lt_figures_add(&group->figures, &row->figures);
    group->site_count += row->site_count;
    group->truncated |= row->truncated;
    if (!same_text(group->function, row->function))
        group->function = NULL;
    if (!same_text(lt_symbol_module_label(group->module), lt_symbol_module_label(row->module)))
        group->module = NULL;
}

void lt_table_group(struct lt_table *table, enum lt_by by, const struct lt_filter *filter) {
    if (by == LT_BY_STACK || !table->count)
        return;
    struct lt_stack stack = {0};
    struct lt_pool scratch = {0};
    struct keyed *keyed = lt_pool_alloc(&scratch, table->count, sizeof *keyed);
    for (size_t i = 0; i < table->count; i++) {
        keyed[i].row = table->rows[i];
        lt_stack_get(&stack, keyed[i].row.site, filter);
        name_row(table, &keyed[i].row, &stack, by);
        keyed[i].key = lt_id_mix(lt_id_bytes(keyed[i].row.label, strlen(keyed[i].row.label)), keyed[i].row.kind);
    }
    qsort(keyed, table->count, sizeof *keyed, compare);
    size_t count = table->count;
    table->count = 0;
    for (size_t i = 0; i < count; i++) {
        if (i && keyed[i].key == keyed[i - 1].key)
            join(&table->rows[table->count - 1], &keyed[i].row);
        else
            table->rows[table->count++] = keyed[i].row;
    }
    lt_stack_free(&stack);
    lt_pool_free(&scratch);
}
