#include "report/model.h"

#include "base/attrs.h"
#include "report/kinds.h"
#include "report/names.h"
#include "report/site_id.h"

#include <stdlib.h>
#include <string.h>

bool lt_is_own_module(const struct lt_dump_module *module) {
    static const char name[] = "libleaktrack.so";
    const char *slash = module->path ? strrchr(module->path, '/') : NULL;
    const char *base = slash ? slash + 1 : module->path;
    return base && strncmp(base, name, sizeof name - 1) == 0;
}

static uint64_t birth_ns(const struct lt_dump *dump, uint32_t cs) {
    return dump->process.start_wall_ns + (uint64_t)cs * 10000000;
}

/* Centiseconds that a block of this age class has lived at least. */
static uint64_t least_age_cs(uint32_t age_class) {
    return age_class == 0 ? 0 : age_class > 57 ? UINT64_MAX : (uint64_t)100 << (age_class - 1);
}

static uint32_t age_class_of(uint64_t age_cs) {
    uint32_t age_class = 0;
    while (least_age_cs(age_class + 1) <= age_cs)
        age_class++;
    return age_class;
}

static void note_age(struct lt_figures *figures, uint32_t age_class) {
    if (figures->youngest == LT_NO_AGE || age_class < figures->youngest)
        figures->youngest = age_class;
    if (figures->oldest == LT_NO_AGE || age_class > figures->oldest)
        figures->oldest = age_class;
}

static void amount_add(struct lt_amount *sum, struct lt_amount part) {
    sum->count += part.count;
    sum->bytes += part.bytes;
}

void lt_figures_add(struct lt_figures *sum, const struct lt_figures *part) {
    amount_add(&sum->live, part->live);
    amount_add(&sum->alloc, part->alloc);
    amount_add(&sum->kept, part->kept);
    amount_add(&sum->base, part->base);
    sum->live_variance = lt_variance_sum(sum->live_variance, part->live_variance);
    sum->alloc_variance = lt_variance_sum(sum->alloc_variance, part->alloc_variance);
    sum->base_variance = lt_variance_sum(sum->base_variance, part->base_variance);
    sum->samples += part->samples;
    sum->sites += part->sites;
    if (part->first_birth_ns && (!sum->first_birth_ns || part->first_birth_ns < sum->first_birth_ns))
        sum->first_birth_ns = part->first_birth_ns;
    if (part->last_birth_ns > sum->last_birth_ns)
        sum->last_birth_ns = part->last_birth_ns;
    if (part->oldest != LT_NO_AGE) {
        note_age(sum, part->youngest);
        note_age(sum, part->oldest);
    }
}

/* The live blocks of a row that are old enough: whole age classes, a class counting when its youngest possible block
 * does. Where all of the site's births lie on one side of the limit, that decides exactly. */
static void count_live(struct lt_figures *figures, const struct lt_dump_site *row, uint32_t now_cs, uint64_t min_cs) {
    uint64_t youngest = now_cs > row->last_birth_cs ? now_cs - row->last_birth_cs : 0;
    uint64_t oldest = now_cs > row->first_birth_cs ? now_cs - row->first_birth_cs : 0;
    bool all = youngest >= min_cs, none = oldest < min_cs;
    if (all)
        figures->live = (struct lt_amount){row->live_count, row->live_bytes};
    for (size_t i = 0; i < row->age_count && !none; i++) {
        const struct lt_dump_age *age = &row->ages[i];
        if (!age->count || (!all && least_age_cs(age->age_class) < min_cs))
            continue;
        note_age(figures, age->age_class);
        if (!all)
            amount_add(&figures->live, (struct lt_amount){age->count, age->bytes});
    }
}

static struct lt_site site_of(const struct lt_model *model, const struct lt_dump_site *row, uint64_t min_age_cs) {
    struct lt_site site = {
        .id = lt_site_id(model->stack_ids[row->node], row->kind),
        .model = model,
        .node = row->node,
        .kind = row->kind,
        .truncated = row->flags & LT_SITE_TRUNCATED,
        .warm_up = row->flags & LT_SITE_WARMUP,
        .figures = {.alloc = {row->alloc_count, row->alloc_bytes},
                    .first_birth_ns = birth_ns(model->dump, row->first_birth_cs),
                    .last_birth_ns = birth_ns(model->dump, row->last_birth_cs),
                    .youngest = LT_NO_AGE,
                    .oldest = LT_NO_AGE},
    };
    count_live(&site.figures, row, model->snapshot->time_cs, min_age_cs);
    return site;
}

static double share(uint64_t part, uint64_t whole) {
    return whole ? (double)part / (double)whole : 0;
}

/* How sure the site's figures are; where not all live blocks are old enough, those that are have their share of it. */
static void take_samples(struct lt_model *model, struct lt_site *site, const struct lt_dump_site *row,
                         const struct lt_dump_sample *sample) {
    struct lt_figures *figures = &site->figures;
    const struct lt_variance live = lt_live_variance(model->snapshot, sample);
    const double count = share(figures->live.count, row->live_count),
                 bytes = share(figures->live.bytes, row->live_bytes);
    figures->alloc_variance = lt_alloc_variance(model->snapshot, sample);
    figures->live_variance = (struct lt_variance){live.count * count, live.bytes * bytes};
    figures->samples = (uint64_t)((double)sample->live_samples * count + 0.5);
    model->live_variance = lt_variance_sum(model->live_variance, live);
    model->alloc_variance = lt_variance_sum(model->alloc_variance, figures->alloc_variance);
}

static int compare_rows(const struct lt_dump_sample *sample, const struct lt_dump_site *row) {
    const uint32_t a[] = {sample->node, sample->kind, sample->flags}, b[] = {row->node, row->kind, row->flags};
    for (size_t i = 0; i < LT_ARRAY_SIZE(a); i++)
        if (a[i] != b[i])
            return a[i] < b[i] ? -1 : 1;
    return 0;
}

/* Both lists have one order. sites[i] belongs to row i here. */
static void match_samples(struct lt_model *model) {
    const struct lt_dump_snapshot *snapshot = model->snapshot;
    const struct lt_dump_sample *sample = snapshot->samples, *end = sample + snapshot->sample_count;
    for (size_t i = 0; i < snapshot->site_count; i++) {
        const struct lt_dump_site *row = &snapshot->sites[i];
        while (sample < end && compare_rows(sample, row) < 0)
            sample++;
        if (sample < end && compare_rows(sample, row) == 0)
            take_samples(model, &model->sites[i], row, sample);
    }
}

/* The first row of a node: rows are sorted by node. */
static size_t first_row(const struct lt_dump_snapshot *snapshot, uint32_t node) {
    size_t low = 0, high = snapshot->site_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (snapshot->sites[middle].node < node)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* With LEAKTRACK_BLOCKS=1 births are known one by one. sites[i] belongs to row i here. */
static void count_blocks(struct lt_model *model, uint64_t min_age_cs) {
    const struct lt_dump_snapshot *snapshot = model->snapshot;
    for (size_t i = 0; i < snapshot->block_count; i++) {
        const struct lt_dump_block *block = &snapshot->blocks[i];
        uint64_t age = snapshot->time_cs > block->birth_cs ? snapshot->time_cs - block->birth_cs : 0;
        size_t row = first_row(snapshot, block->node);
        while (row < snapshot->site_count && snapshot->sites[row].node == block->node &&
               (snapshot->sites[row].kind != block->kind || snapshot->sites[row].flags != block->flags))
            row++;
        if (age < min_age_cs || row == snapshot->site_count || snapshot->sites[row].node != block->node)
            continue;
        amount_add(&model->sites[row].figures.live, (struct lt_amount){1, block->size});
        note_age(&model->sites[row].figures, age_class_of(age));
    }
}

static void make_sites(struct lt_model *model, uint64_t min_age_cs) {
    const struct lt_dump_snapshot *snapshot = model->snapshot;
    bool by_block = min_age_cs && snapshot->block_count && !snapshot->sampling_mean;
    model->sites = lt_pool_alloc(&model->pool, snapshot->site_count, sizeof *model->sites);
    model->site_count = snapshot->site_count;
    for (size_t i = 0; i < snapshot->site_count; i++)
        model->sites[i] = site_of(model, &snapshot->sites[i], by_block ? UINT64_MAX : min_age_cs);
    if (by_block)
        count_blocks(model, min_age_cs);
    if (snapshot->sample_count)
        match_samples(model);
}

static void keep_kinds(struct lt_model *model, uint32_t kinds) {
    size_t kept = 0;
    for (size_t i = 0; i < model->site_count; i++)
        if (lt_kind_is_in(model->sites[i].kind, kinds))
            model->sites[kept++] = model->sites[i];
    model->site_count = kept;
}

/* What a program takes to get going is nobody's leak, unless it is asked for. */
static void leave_out_warm_up(struct lt_model *model) {
    size_t kept = 0;
    for (unsigned kind = 0; kind < LT_KIND_END; kind++)
        model->warm_up[kind] = (struct lt_figures){.youngest = LT_NO_AGE, .oldest = LT_NO_AGE};
    for (size_t i = 0; i < model->site_count; i++) {
        const struct lt_site *site = &model->sites[i];
        if (site->warm_up)
            lt_figures_add(&model->warm_up[site->kind], &site->figures);
        else
            model->sites[kept++] = *site;
    }
    model->site_count = kept;
}

static int compare_ids(const void *left, const void *right) {
    const struct lt_site *a = left, *b = right;
    return a->id != b->id ? (a->id < b->id ? -1 : 1) : (a->node > b->node) - (a->node < b->node);
}

/* One stack may stand in several rows: truncated and whole, or through two loads of one module. */
static void merge_equal(struct lt_model *model) {
    size_t kept = 0;
    if (model->site_count)
        qsort(model->sites, model->site_count, sizeof *model->sites, compare_ids);
    for (size_t i = 0; i < model->site_count; i++) {
        struct lt_site *site = &model->sites[i], *last = kept ? &model->sites[kept - 1] : NULL;
        if (!last || last->id != site->id) {
            model->sites[kept++] = *site;
            continue;
        }
        lt_figures_add(&last->figures, &site->figures);
        last->truncated |= site->truncated;
    }
    model->site_count = kept;
}

void lt_model_build(struct lt_model *model, const struct lt_loaded *loaded, const struct lt_dump_snapshot *snapshot,
                    const struct lt_selection *selection) {
    const struct lt_dump *dump = &loaded->dump;
    *model = (struct lt_model){.loaded = loaded, .dump = dump, .snapshot = snapshot};
    model->own_module = lt_pool_alloc(&model->pool, dump->module_count, sizeof *model->own_module);
    for (size_t i = 1; i < dump->module_count; i++)
        model->own_module[i] = lt_is_own_module(&dump->modules[i]);
    model->stack_ids = lt_pool_alloc(&model->pool, dump->node_count, sizeof *model->stack_ids);
    model->resolved = lt_pool_alloc(&model->pool, dump->node_count, sizeof *model->resolved);
    lt_stack_ids(model->stack_ids, dump, model->own_module);
    make_sites(model, selection->min_age_cs);
    keep_kinds(model, selection->kinds);
    if (!selection->warm_up)
        leave_out_warm_up(model);
    merge_equal(model);
    lt_resources_select(model, selection);
}

void lt_model_free(struct lt_model *model) {
    lt_pool_free(&model->pool);
}
