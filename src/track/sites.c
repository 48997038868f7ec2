/* Sorting by (node, kind, flags) costs little. A program with one root has its sites in the order of their nodes nearly
 * always: where code acquires something, a site follows its node. Otherwise: node numbers are dense, so a chain of rows
 * per node is a bucket sort. Within a node there are few kinds. */
#include "track/sites.h"

#include "base/attrs.h"
#include "os/arena.h"
#include "track/sampler.h"
#include "track/thread.h"

#include <string.h>

enum { VARINT_MAX = 10, SITE_ROW_MAX = (10 + 3 * LT_AGE_CLASSES) * VARINT_MAX, SAMPLE_ROW_MAX = 9 * VARINT_MAX };

/* A site as it was when it was collected. */
struct row {
    union {
        uint32_t node; /* number */
        uint32_t next; /* once chained: index of the next row of the same node, 0 = none */
    };
    uint32_t site; /* arena ref */
    uint64_t alloc_count, alloc_bytes;
};

static struct row *row_at(const struct lt_sites *sites, uint32_t i) {
    return lt_vector_at(&sites->rows, i);
}

static void add_row(struct lt_sites *sites, const struct row *from) {
    struct row *row = sites->rows.count ? lt_vector_add(&sites->rows) : NULL;
    if (!row) {
        sites->incomplete = true;
        return;
    }
    *row = *from;
    sites->unsorted |= row->node < row[-1].node;
}

/* Rows that are not in order: chains them by node. Without memory for that they are lost. */
static void chain(struct lt_sites *sites, uint32_t nodes) {
    if (!lt_vector_resize(&sites->heads, nodes)) {
        sites->incomplete = true;
        sites->rows.count = 0;
    }
    for (uint32_t i = 1; i < sites->rows.count; i++) {
        uint32_t *head = lt_vector_at(&sites->heads, row_at(sites, i)->node);
        row_at(sites, i)->next = *head;
        *head = i;
    }
}

/* The next row of the same node; 0 after the last. */
static uint32_t row_after(const struct lt_sites *sites, uint32_t i) {
    if (sites->unsorted)
        return row_at(sites, i)->next;
    return i + 1 < sites->rows.count && row_at(sites, i + 1)->node == row_at(sites, i)->node ? i + 1 : 0;
}

static void collect(struct lt_sites *sites, struct lt_site *site) {
    const struct lt_node *node = lt_arena_at(site->node);
    const struct row row = {.node = node->dump_id,
                            .site = lt_arena_ref(site),
                            .alloc_count = atomic_load_explicit(&site->alloc_count, memory_order_relaxed),
                            .alloc_bytes = atomic_load_explicit(&site->alloc_bytes, memory_order_relaxed)};
    const bool numbered = node->parent == 0 || node->dump_id != 0;
    if (row.alloc_count == 0 || (!numbered && !sites->incomplete))
        return; /* its first event failed, or is younger than this snapshot */
    sites->count++;
    sites->sums[site->kind].alloc_count += row.alloc_count;
    sites->sums[site->kind].alloc_bytes += row.alloc_bytes;
    if (site->ages == LT_AGES_LOST || !numbered)
        sites->incomplete = true;
    else
        add_row(sites, &row);
}

void lt_sites_collect(struct lt_sites *sites, uint32_t nodes, bool complete) {
    memset(sites, 0, sizeof *sites);
    sites->incomplete = !complete;
    lt_vector_init(&sites->rows, sizeof(struct row));
    lt_vector_init(&sites->heads, sizeof(uint32_t));
    if (!lt_vector_add(&sites->rows)) /* so that index 0 can mean "none" */
        sites->incomplete = true;
    for (struct lt_thread *thread = lt_thread_first(); thread; thread = thread->next) {
        struct lt_pool_cursor cursor = {0, 0};
        for (struct lt_site *site; (site = lt_pool_next(&thread->stacks.sites, &cursor, NULL));)
            collect(sites, site);
    }
    if (sites->unsorted)
        chain(sites, nodes);
}

static void merge_ages(struct lt_site_row *into, const struct lt_tally *tally, uint32_t first) {
    for (const struct lt_age *age; first; first = age->next) {
        age = lt_vector_at(&tally->ages, first);
        into->classes |= (uint32_t)1 << age->age_class;
        into->ages[age->age_class].count += age->count;
        into->ages[age->age_class].bytes += age->bytes;
        into->live_count += age->count;
        into->live_bytes += age->bytes;
    }
}

static void add_variance(uint64_t *sum, uint64_t variance) {
    *sum = lt_saturated_sum(*sum, variance);
}

static void merge_samples(struct lt_row_samples *into, const struct lt_tally *tally, struct lt_site *site) {
    const struct lt_site_samples *acquired = lt_site_samples(site);
    into->acquired += atomic_load_explicit(&acquired->acquired, memory_order_relaxed);
    add_variance(&into->alloc_count_variance, atomic_load_explicit(&acquired->count_variance, memory_order_relaxed));
    add_variance(&into->alloc_bytes_variance, atomic_load_explicit(&acquired->bytes_variance, memory_order_relaxed));
    const struct lt_age *age;
    for (uint32_t i = site->ages; i; i = age->next) {
        const struct lt_age_samples *live = lt_vector_at(&tally->samples, i);
        age = lt_vector_at(&tally->ages, i);
        into->live += live->count;
        add_variance(&into->live_count_variance, live->count_variance);
        add_variance(&into->live_bytes_variance, live->bytes_variance);
    }
}

static void merge_row(struct lt_site_row *into, const struct row *row, const struct lt_tally *tally) {
    struct lt_site *site = lt_arena_at(row->site);
    uint32_t first = atomic_load_explicit(&site->first_birth, memory_order_relaxed);
    uint32_t last = atomic_load_explicit(&site->last_birth, memory_order_relaxed);
    into->first_birth = into->used && into->first_birth < first ? into->first_birth : first;
    into->last_birth = into->used && into->last_birth > last ? into->last_birth : last;
    into->used = true;
    into->alloc_count += row->alloc_count;
    into->alloc_bytes += row->alloc_bytes;
    merge_ages(into, tally, site->ages);
    if (lt_is_sampled(site->kind))
        merge_samples(&into->samples, tally, site);
}

/* Where the next row of the SITES or SAMPLES sections goes. */
struct site_output {
    struct lt_writer *writer;
    bool is_samples;
    uint32_t last_node, rows;
};

static void put_ages(struct lt_writer *writer, const struct lt_site_row *row, uint32_t kind) {
    lt_put_varint(writer, (uint64_t)__builtin_popcount(row->classes));
    for (uint32_t bits = row->classes; bits; bits &= bits - 1) {
        const uint32_t age_class = (uint32_t)__builtin_ctz(bits);
        lt_put_varint(writer, age_class);
        lt_put_varint(writer, lt_whole_count(kind, row->ages[age_class].count));
        lt_put_varint(writer, lt_whole_bytes(kind, row->ages[age_class].bytes));
    }
}

static void put_site(struct lt_writer *writer, const struct lt_site_row *row, uint32_t kind) {
    lt_put_varint(writer, lt_whole_count(kind, row->live_count));
    lt_put_varint(writer, lt_whole_bytes(kind, row->live_bytes));
    lt_put_varint(writer, lt_whole_count(kind, row->alloc_count));
    lt_put_varint(writer, lt_whole_bytes(kind, row->alloc_bytes));
    lt_put_varint(writer, row->first_birth);
    lt_put_varint(writer, row->last_birth - row->first_birth);
    put_ages(writer, row, kind);
}

static void put_samples(struct lt_writer *writer, const struct lt_row_samples *samples) {
    lt_put_varint(writer, samples->live);
    lt_put_varint(writer, samples->acquired);
    lt_put_varint(writer, samples->live_count_variance);
    lt_put_varint(writer, samples->live_bytes_variance);
    lt_put_varint(writer, samples->alloc_count_variance);
    lt_put_varint(writer, samples->alloc_bytes_variance);
}

/* The mean stands where a dictionary has its first id. */
static void begin_rows(struct site_output *out) {
    if (out->is_samples)
        lt_rows_begin(out->writer, LT_SECTION_SAMPLES, 0, true, lt_sampling_mean);
    else
        lt_rows_begin(out->writer, LT_SECTION_SITES, LT_SECTION_CRITICAL, false, 0);
    out->last_node = 0;
}

static int put_row(struct site_output *out, const struct lt_site_row *row, uint32_t node, uint32_t kind,
                   uint32_t flags) {
    struct lt_writer *writer = out->writer;
    int status = 0;
    if (out->rows && lt_rows_full(writer, out->is_samples ? SAMPLE_ROW_MAX : SITE_ROW_MAX)) {
        status = lt_rows_end(writer, out->rows);
        out->rows = 0;
    }
    if (out->rows == 0)
        begin_rows(out);
    lt_put_varint(writer, node - out->last_node);
    lt_put_varint(writer, kind);
    lt_put_varint(writer, flags);
    if (out->is_samples)
        put_samples(writer, &row->samples);
    else
        put_site(writer, row, kind);
    out->last_node = node;
    out->rows++;
    return status;
}

static bool has_row(const struct site_output *out, const struct lt_site_row *row) {
    return out->is_samples ? row->samples.acquired > 0 : row->used;
}

static void clear_row(struct lt_site_row *row) {
    for (uint32_t bits = row->classes; bits; bits &= bits - 1)
        memset(&row->ages[__builtin_ctz(bits)], 0, sizeof row->ages[0]);
    memset(row, 0, offsetof(struct lt_site_row, ages));
}

/* Merges the rows of one node, from row i on, and writes and clears what they gave. */
static int put_node_rows(struct site_output *out, const struct lt_sites *sites, const struct lt_tally *tally,
                         uint32_t node, uint32_t i, struct lt_site_rows *scratch) {
    uint32_t kinds = 0;
    int status = 0;
    for (; i; i = row_after(sites, i)) {
        const struct lt_site *site = lt_arena_at(row_at(sites, i)->site);
        merge_row(&scratch->row[site->kind][site->flags], row_at(sites, i), tally);
        kinds |= (uint32_t)1 << site->kind;
    }
    for (; kinds; kinds &= kinds - 1)
        for (uint32_t kind = (uint32_t)__builtin_ctz(kinds), flags = 0; flags < LT_SITE_FLAGS_END; flags++)
            if (scratch->row[kind][flags].used) {
                if (status == 0 && has_row(out, &scratch->row[kind][flags]))
                    status = put_row(out, &scratch->row[kind][flags], node, kind, flags);
                clear_row(&scratch->row[kind][flags]);
            }
    return status;
}

static int write_rows(const struct lt_sites *sites, const struct lt_tally *tally, struct lt_site_rows *scratch,
                      struct site_output *out) {
    int status = 0;
    for (uint32_t node = 0; status == 0 && node < sites->heads.count; node++)
        status = put_node_rows(out, sites, tally, node, *(uint32_t *)lt_vector_at(&sites->heads, node), scratch);
    for (uint32_t i = 1, next; status == 0 && !sites->unsorted && i < sites->rows.count; i = next) {
        status = put_node_rows(out, sites, tally, row_at(sites, i)->node, i, scratch);
        for (next = i + 1; row_after(sites, next - 1) == next; next++)
            ;
    }
    return status == 0 && out->rows ? lt_rows_end(out->writer, out->rows) : status;
}

/* A process that samples and has sampled nothing yet says that it samples, too. */
static int write_no_samples(struct site_output *out) {
    begin_rows(out);
    return lt_rows_end(out->writer, 0);
}

int lt_sites_write(const struct lt_sites *sites, const struct lt_tally *tally, struct lt_writer *writer,
                   struct lt_site_rows *scratch) {
    struct site_output rows = {.writer = writer}, samples = {.writer = writer, .is_samples = true};
    int status = write_rows(sites, tally, scratch, &rows);
    if (status == 0 && lt_sampling_mean)
        status = write_rows(sites, tally, scratch, &samples);
    return status == 0 && lt_sampling_mean && !samples.rows ? write_no_samples(&samples) : status;
}

void lt_sites_free(struct lt_sites *sites) {
    lt_vector_free(&sites->rows);
    lt_vector_free(&sites->heads);
}
