#include "report/table.h"

#include "base/attrs.h"
#include "report/kinds.h"

#include <stdlib.h>
#include <string.h>

void lt_table_add(struct lt_table *table, const struct lt_row *row) {
    table->rows = lt_grow(table->rows, &table->capacity, table->count + 1, sizeof *table->rows);
    table->rows[table->count++] = *row;
}

void lt_table_free(struct lt_table *table) {
    free(table->rows);
    lt_pool_free(&table->pool);
    *table = (struct lt_table){0};
}

void lt_table_of_model(struct lt_table *table, const struct lt_model *model) {
    table->estimated_kinds = lt_estimated_kinds(model->snapshot);
    table->rows = lt_grow(table->rows, &table->capacity, table->count + model->site_count, sizeof *table->rows);
    for (size_t i = 0; i < model->site_count; i++) {
        const struct lt_site *site = &model->sites[i];
        lt_table_add(table, &(struct lt_row){.site = site,
                                             .site_count = 1,
                                             .kind = site->kind,
                                             .truncated = site->truncated,
                                             .figures = site->figures});
    }
}

int64_t lt_delta_count(const struct lt_figures *figures) {
    return (int64_t)(figures->live.count - figures->base.count);
}

int64_t lt_delta_bytes(const struct lt_figures *figures) {
    return (int64_t)(figures->live.bytes - figures->base.bytes);
}

enum lt_change lt_row_change(const struct lt_figures *figures) {
    int64_t bytes = lt_delta_bytes(figures), count = lt_delta_count(figures);
    if (bytes == 0 && count == 0)
        return LT_CHANGE_NONE;
    if (figures->base.count == 0)
        return LT_CHANGE_NEW;
    if (figures->live.count == 0)
        return LT_CHANGE_GONE;
    return bytes > 0 || (bytes == 0 && count > 0) ? LT_CHANGE_GROWN : LT_CHANGE_SHRUNK;
}

const char *lt_change_word(enum lt_change change) {
    static const char *const words[] = {"unchanged", "new", "grown", "shrunk", "gone"};
    return words[change];
}

void lt_table_settle(struct lt_table *table, bool held_only) {
    size_t kept = 0;
    for (size_t i = 0; i < table->count; i++) {
        const struct lt_row *row = &table->rows[i];
        bool same = lt_row_change(&row->figures) == LT_CHANGE_NONE;
        lt_figures_add(&table->sums[row->kind], &row->figures);
        if (table->is_diff && same && row->figures.live.count) {
            lt_figures_add(&table->unchanged, &row->figures);
            table->unchanged_sites += row->site_count;
            table->unchanged_kinds |= LT_KIND_BIT(row->kind);
        }
        if (table->is_diff ? !same : !held_only || row->figures.live.count)
            table->rows[kept++] = *row;
    }
    table->count = kept;
}

/* What --sort compares, larger first; then its second and third thoughts. */
struct rank {
    uint64_t by[3];
};

static uint64_t size_of(int64_t change) {
    return change < 0 ? -(uint64_t)change : (uint64_t)change;
}

static struct rank rank_of(const struct lt_row *row, enum lt_sort sort) {
    const struct lt_figures *figures = &row->figures;
    const struct lt_amount *live = &figures->live, *alloc = &figures->alloc;
    switch (sort) {
    case LT_SORT_COUNT:
        return (struct rank){{live->count, live->bytes}};
    case LT_SORT_ALLOC_BYTES:
        return (struct rank){{alloc->bytes, alloc->count}};
    case LT_SORT_ALLOC_COUNT:
        return (struct rank){{alloc->count, alloc->bytes}};
    case LT_SORT_AGE:
        return (struct rank){{figures->oldest == LT_NO_AGE ? 0 : figures->oldest + 1, live->bytes, live->count}};
    case LT_SORT_GROWTH:
        return (struct rank){
            {size_of(lt_delta_bytes(figures)), lt_delta_bytes(figures) > 0, size_of(lt_delta_count(figures))}};
    case LT_SORT_BYTES:
    default:
        return (struct rank){{live->bytes, live->count}};
    }
}

static int compare(const void *left, const void *right, void *sort) {
    const struct lt_row *a = left, *b = right;
    if (a->kind != b->kind)
        return a->kind < b->kind ? -1 : 1;
    struct rank x = rank_of(a, *(const enum lt_sort *)sort), y = rank_of(b, *(const enum lt_sort *)sort);
    for (size_t i = 0; i < LT_ARRAY_SIZE(x.by); i++)
        if (x.by[i] != y.by[i])
            return x.by[i] < y.by[i] ? 1 : -1;
    return a->site->id == b->site->id ? 0 : a->site->id < b->site->id ? -1 : 1;
}

void lt_table_sort(struct lt_table *table, enum lt_sort sort) {
    if (table->count)
        qsort_r(table->rows, table->count, sizeof *table->rows, compare, &sort);
}

size_t lt_table_cut(struct lt_table *table, size_t top) {
    size_t shown = 0, of_kind = 0, left = 0;
    struct lt_pool scratch = {0};
    struct lt_row *rest = lt_pool_alloc(&scratch, table->count, sizeof *rest);
    for (size_t i = 0; i < table->count; i++) {
        const struct lt_row row = table->rows[i];
        of_kind = shown && table->rows[shown - 1].kind == row.kind ? of_kind + 1 : 1;
        if (!top || of_kind <= top)
            table->rows[shown++] = row;
        else
            rest[left++] = row;
    }
    if (left)
        memcpy(table->rows + shown, rest, left * sizeof *rest);
    lt_pool_free(&scratch);
    return shown;
}
