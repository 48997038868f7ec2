#include "report/resources.h"

#include "base/attrs.h"
#include "report/kinds.h"
#include "report/model.h"
#include "report/names.h"
#include "report/site_id.h"

#include <stdlib.h>
#include <string.h>

bool lt_holder_is_known(const struct lt_dump_holder *holder) {
    return holder->site_kind != 0;
}

struct lt_site lt_holder_site(const struct lt_model *model, const struct lt_dump_holder *holder) {
    return (struct lt_site){.id = lt_site_id(model->stack_ids[holder->node], holder->site_kind),
                            .model = model,
                            .node = holder->node,
                            .kind = holder->site_kind,
                            .truncated = holder->site_flags & LT_SITE_TRUNCATED};
}

uint64_t lt_holder_age(const struct lt_dump_snapshot *snapshot, const struct lt_dump_holder *holder) {
    if (!lt_holder_is_known(holder))
        return LT_NO_NUMBER;
    return snapshot->time_cs > holder->birth_cs ? snapshot->time_cs - holder->birth_cs : 0;
}

/* What was inherited is older than the process; of what nobody saw coming nothing is known. */
static bool is_old_enough(const struct lt_dump_snapshot *snapshot, const struct lt_dump_holder *holder, uint32_t origin,
                          uint64_t min_age_cs) {
    uint64_t age = origin == LT_ORIGIN_INHERITED ? snapshot->time_cs : lt_holder_age(snapshot, holder);
    return !min_age_cs || (age != LT_NO_NUMBER && age >= min_age_cs);
}

static void select_descriptors(struct lt_model *model, const struct lt_selection *selection) {
    const struct lt_dump_snapshot *snapshot = model->snapshot;
    struct lt_resources *to = &model->resources;
    to->descriptors = lt_pool_alloc(&model->pool, snapshot->descriptor_count, sizeof(void *));
    for (size_t i = 0; i < snapshot->descriptor_count; i++) {
        const struct lt_dump_descriptor *row = &snapshot->descriptors[i];
        if (lt_kind_is_in(row->kind, selection->kinds) &&
            is_old_enough(snapshot, &row->holder, row->origin, selection->min_age_cs) &&
            !(selection->inheritable && row->flags & LT_DESCRIPTOR_CLOEXEC))
            to->descriptors[to->descriptor_count++] = row;
    }
}

static void select_mappings(struct lt_model *model, const struct lt_selection *selection) {
    const struct lt_dump_snapshot *snapshot = model->snapshot;
    struct lt_resources *to = &model->resources;
    if (!lt_kind_is_in(LT_KIND_MAPPING, selection->kinds))
        return;
    to->mappings = lt_pool_alloc(&model->pool, snapshot->mapping_count, sizeof(void *));
    for (size_t i = 0; i < snapshot->mapping_count; i++) {
        const struct lt_dump_mapping *row = &snapshot->mappings[i];
        if (is_old_enough(snapshot, &row->holder, row->origin, selection->min_age_cs))
            to->mappings[to->mapping_count++] = row;
    }
}

static void select_threads(struct lt_model *model, const struct lt_selection *selection) {
    const struct lt_dump_snapshot *snapshot = model->snapshot;
    struct lt_resources *to = &model->resources;
    if (!lt_kind_is_in(LT_KIND_THREAD, selection->kinds))
        return;
    to->threads = lt_pool_alloc(&model->pool, snapshot->thread_count, sizeof(void *));
    for (size_t i = 0; i < snapshot->thread_count; i++) {
        const struct lt_dump_thread *row = &snapshot->threads[i];
        bool is_main = row->flags & LT_THREAD_MAIN; /* as old as the process */
        if (is_old_enough(snapshot, &row->holder, is_main ? LT_ORIGIN_INHERITED : row->origin, selection->min_age_cs))
            to->threads[to->thread_count++] = row;
    }
}

static void select_misuses(struct lt_model *model, const struct lt_selection *selection) {
    const struct lt_dump_snapshot *snapshot = model->snapshot;
    struct lt_resources *to = &model->resources;
    if (selection->kinds && !(selection->kinds & LT_DESCRIPTOR_KINDS))
        return;
    to->misuses = lt_pool_alloc(&model->pool, snapshot->misuse_count, sizeof(void *));
    for (size_t i = 0; i < snapshot->misuse_count; i++)
        to->misuses[to->misuse_count++] = &snapshot->misuses[i];
}

static int compare_to_site(const void *key, const void *element) {
    uint64_t id = *(const uint64_t *)key;
    const struct lt_site *site = element;
    return (id > site->id) - (id < site->id);
}

static void count_descriptors(struct lt_model *model) {
    for (size_t i = 0; i < model->site_count; i++)
        if (LT_KIND_BIT(model->sites[i].kind) & LT_DESCRIPTOR_KINDS)
            model->sites[i].figures.live.count = 0;
    for (size_t i = 0; i < model->resources.descriptor_count; i++) {
        const struct lt_dump_holder *holder = &model->resources.descriptors[i]->holder;
        uint64_t id = lt_holder_site(model, holder).id;
        struct lt_site *site =
            lt_holder_is_known(holder) && model->site_count
                ? bsearch(&id, model->sites, model->site_count, sizeof *model->sites, compare_to_site)
                : NULL;
        if (site)
            site->figures.live.count++;
    }
}

void lt_resources_select(struct lt_model *model, const struct lt_selection *selection) {
    select_descriptors(model, selection);
    select_mappings(model, selection);
    select_threads(model, selection);
    select_misuses(model, selection);
    if ((selection->min_age_cs || selection->inheritable) && model->snapshot->descriptor_count)
        count_descriptors(model);
}

#define KEEP(rows, count, node)                                                                                        \
    do {                                                                                                               \
        size_t kept_ = 0;                                                                                              \
        for (size_t i = 0; i < (count); i++)                                                                           \
            if (keep_node[(rows)[i]->node])                                                                            \
                (rows)[kept_++] = (rows)[i];                                                                           \
        (count) = kept_;                                                                                               \
    } while (0)

void lt_resources_keep(struct lt_resources *resources, const bool *keep_node) {
    KEEP(resources->descriptors, resources->descriptor_count, holder.node);
    KEEP(resources->mappings, resources->mapping_count, holder.node);
    KEEP(resources->threads, resources->thread_count, holder.node);
    KEEP(resources->misuses, resources->misuse_count, node);
}

static void need(const struct lt_model *model, const struct lt_dump_holder *holder) {
    struct lt_site site = lt_holder_site(model, holder);
    if (lt_holder_is_known(holder))
        lt_names_need(&site);
}

void lt_resources_need_names(const struct lt_model *model, bool mappings) {
    const struct lt_resources *rows = &model->resources;
    for (size_t i = 0; i < rows->descriptor_count; i++)
        need(model, &rows->descriptors[i]->holder);
    for (size_t i = 0; mappings && i < rows->mapping_count; i++)
        need(model, &rows->mappings[i]->holder);
    for (size_t i = 0; i < rows->thread_count; i++)
        need(model, &rows->threads[i]->holder);
    for (size_t i = 0; i < rows->misuse_count; i++) {
        need(model, &rows->misuses[i]->opener);
        lt_names_need(&(struct lt_site){.model = model, .node = rows->misuses[i]->node});
    }
}

static int by_site(const void *left, const void *right) {
    const struct lt_share *a = left, *b = right;
    if (a->site_id != b->site_id)
        return a->site_id < b->site_id ? -1 : 1;
    return (a->holder.birth_cs > b->holder.birth_cs) - (a->holder.birth_cs < b->holder.birth_cs);
}

static int by_count(const void *left, const void *right) {
    const struct lt_share *a = left, *b = right;
    if (a->count != b->count)
        return a->count < b->count ? 1 : -1;
    return (a->site_id > b->site_id) - (a->site_id < b->site_id);
}

size_t lt_shares(const struct lt_model *model, const struct lt_held *held, size_t count, struct lt_pool *pool,
                 struct lt_share **result) {
    struct lt_share *shares = *result = lt_pool_alloc(pool, count, sizeof *shares);
    size_t known = 0, kept = 0;
    for (size_t i = 0; i < count; i++)
        if (lt_holder_is_known(held[i].holder))
            shares[known++] = (struct lt_share){.holder = *held[i].holder,
                                                .site_id = lt_holder_site(model, held[i].holder).id,
                                                .count = 1,
                                                .bytes = held[i].bytes};
    if (known)
        qsort(shares, known, sizeof *shares, by_site);
    for (size_t i = 0; i < known; i++) {
        if (kept && shares[kept - 1].site_id == shares[i].site_id) {
            shares[kept - 1].count++;
            shares[kept - 1].bytes += shares[i].bytes;
        } else {
            shares[kept++] = shares[i];
        }
    }
    if (kept)
        qsort(shares, kept, sizeof *shares, by_count);
    return kept;
}

bool lt_is_unjoined(const struct lt_dump_thread *thread) {
    return !(thread->flags & (LT_THREAD_RUNS | LT_THREAD_DETACHED | LT_THREAD_MAIN));
}

bool lt_is_explained(const struct lt_dump_mapping *mapping) {
    const uint32_t class = mapping->mapping_class;
    return mapping->origin == LT_ORIGIN_UNATTRIBUTED && class != LT_MAPPING_ANONYMOUS && class != LT_MAPPING_FILE &&
           class != LT_MAPPING_SHARED_MEMORY;
}

bool lt_is_close_wait(const struct lt_dump_descriptor *descriptor) {
    return strcmp(descriptor->details.state, "CLOSE_WAIT") == 0;
}

bool lt_is_plain_misuse(const struct lt_dump_misuse *misuse) {
    if (misuse->what == LT_MISUSE_OF_OURS)
        return false;
    return misuse->what != LT_MISUSE_NOT_OPEN || lt_holder_is_known(&misuse->opener);
}

bool lt_kernel_value(const struct lt_dump_snapshot *snapshot, const char *name, uint64_t *value) {
    for (size_t i = 0; i < snapshot->counter_count; i++)
        if (snapshot->counters[i].group == LT_COUNTER_KERNEL && strcmp(snapshot->counters[i].name, name) == 0) {
            *value = snapshot->counters[i].value;
            return true;
        }
    return false;
}

static struct lt_use use_of(const struct lt_dump_snapshot *snapshot, size_t rows, const char *count,
                            const char *limit) {
    struct lt_use use = {.used = rows};
    lt_kernel_value(snapshot, count, &use.used);
    lt_kernel_value(snapshot, limit, &use.limit);
    if (use.limit > INT64_MAX) /* RLIM_INFINITY */
        use.limit = 0;
    return use;
}

struct lt_use lt_use_of_descriptors(const struct lt_dump_snapshot *snapshot) {
    return use_of(snapshot, snapshot->descriptor_count, LT_KERNEL_OPEN_FILES, LT_KERNEL_OPEN_FILES_LIMIT);
}

struct lt_use lt_use_of_mappings(const struct lt_dump_snapshot *snapshot) {
    return use_of(snapshot, snapshot->mapping_count, LT_KERNEL_MAPPINGS, LT_KERNEL_MAPPINGS_LIMIT);
}

bool lt_is_near_limit(struct lt_use use) {
    return use.limit && use.used > use.limit - use.limit / 5;
}

static const char *word_of(const char *const *words, size_t count, uint32_t number, const char *otherwise) {
    return number < count && words[number] ? words[number] : otherwise;
}

#define X(name, number, word) [number] = (word),

const char *lt_origin_word(uint32_t origin) {
    static const char *const words[] = {LT_ORIGINS(X)};
    return word_of(words, LT_ARRAY_SIZE(words), origin, "unknown");
}

const char *lt_mapping_class_word(uint32_t class) {
    static const char *const words[] = {LT_MAPPING_CLASSES(X)};
    return word_of(words, LT_ARRAY_SIZE(words), class, "unknown");
}

const char *lt_misuse_word(uint32_t what) {
    static const char *const words[] = {LT_MISUSES(X)};
    return word_of(words, LT_ARRAY_SIZE(words), what, "unknown misuse");
}

#undef X

const char *lt_via_word(uint32_t flags) {
    return flags & LT_DESCRIPTOR_VIA_STREAM ? "stream" : flags & LT_DESCRIPTOR_VIA_DIRECTORY ? "directory" : NULL;
}

struct lt_human lt_protection_word(const struct lt_dump_mapping *mapping) {
    uint32_t bits = mapping->protection;
    bool is_shared = mapping->flags & LT_MAPPING_SHARED;
    return (struct lt_human){
        {bits & 4 ? 'r' : '-', bits & 2 ? 'w' : '-', bits & 1 ? 'x' : '-', is_shared ? 's' : 'p', 0}};
}
