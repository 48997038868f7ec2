#include "report/rise.h"

#include "report/kinds.h"

enum { LEAST_STEPS = 3, LEAST_GAIN = 10 };

static const uint64_t longest_cs = UINT64_C(100) * 60 * 60 * 24 * 365;

static const struct lt_dump_snapshot *find_start(const struct lt_dump *dump, const struct lt_dump_snapshot *last,
                                                 struct lt_rise *rise) {
    const struct lt_dump_snapshot *first = last;
    uint64_t before;
    while (first > dump->snapshots && lt_kernel_value(first - 1, LT_KERNEL_OPEN_FILES, &before) &&
           before < rise->from) {
        rise->from = before;
        rise->steps++;
        first--;
    }
    return first;
}

/* Nodes are the same in all snapshots of a dump. */
static uint64_t live_at(const struct lt_dump_snapshot *snapshot, const struct lt_dump_site *site) {
    for (size_t i = 0; i < snapshot->site_count; i++)
        if (snapshot->sites[i].node == site->node && snapshot->sites[i].kind == site->kind &&
            snapshot->sites[i].flags == site->flags)
            return snapshot->sites[i].live_count;
    return 0;
}

static void find_fastest(const struct lt_dump_snapshot *first, const struct lt_dump_snapshot *last,
                         struct lt_rise *rise) {
    for (size_t i = 0; i < last->site_count; i++) {
        const struct lt_dump_site *site = &last->sites[i];
        if (!(LT_KIND_BIT(site->kind) & LT_DESCRIPTOR_KINDS) || site->live_count <= rise->gain)
            continue;
        uint64_t before = live_at(first, site);
        if (site->live_count > before && site->live_count - before > rise->gain) {
            rise->gain = site->live_count - before;
            rise->holder =
                (struct lt_dump_holder){.node = site->node, .site_kind = site->kind, .site_flags = site->flags};
        }
    }
}

static uint64_t time_to_limit(const struct lt_rise *rise, const struct lt_dump_snapshot *last) {
    uint64_t limit = 0;
    lt_kernel_value(last, LT_KERNEL_OPEN_FILES_LIMIT, &limit);
    if (limit <= rise->to || limit > INT64_MAX)
        return LT_NO_NUMBER;
    double left = (double)(limit - rise->to) / (double)(rise->to - rise->from) * (double)rise->span;
    return left < (double)longest_cs ? (uint64_t)left : LT_NO_NUMBER;
}

bool lt_find_rise(const struct lt_dump *dump, const struct lt_dump_snapshot *last, struct lt_rise *rise) {
    *rise = (struct lt_rise){0};
    if (!lt_kernel_value(last, LT_KERNEL_OPEN_FILES, &rise->to))
        return false;
    rise->from = rise->to;
    const struct lt_dump_snapshot *first = find_start(dump, last, rise);
    rise->span = last->time_cs > first->time_cs ? last->time_cs - first->time_cs : 0;
    if (rise->steps < LEAST_STEPS || rise->to - rise->from < LEAST_GAIN)
        return false;
    find_fastest(first, last, rise);
    rise->time_to_limit = time_to_limit(rise, last);
    return true;
}
