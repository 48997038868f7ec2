#include "track/dump_runs.h"

#include "os/memory.h"

#include <stddef.h>
#include <string.h>

static bool make_place(struct lt_dump_runs *runs) {
    if (runs->count < runs->capacity)
        return true;
    uint32_t capacity = runs->capacity ? 2 * runs->capacity : LT_PAGE / sizeof(struct lt_dump_run);
    if (capacity > LT_RUNS_MAX)
        return false;
    size_t old_size = runs->capacity * sizeof *runs->items, size = capacity * sizeof *runs->items;
    void *items = runs->items ? lt_pages_resize(runs->items, old_size, size) : lt_pages_new(size);
    if (!items)
        return false;
    runs->items = items;
    runs->capacity = capacity;
    return true;
}

static uint64_t end_of(const struct lt_dump_run *run) {
    return run->offset + run->length;
}

bool lt_runs_add(struct lt_dump_runs *runs, uint64_t offset, uint64_t length) {
    if (runs->pending && end_of(&runs->items[runs->count - 1]) == offset) {
        runs->items[runs->count - 1].length += length;
        return true;
    }
    if (!make_place(runs))
        return false;
    runs->items[runs->count++] = (struct lt_dump_run){.offset = offset, .length = length, .snapshot = runs->number + 1};
    runs->pending++;
    return true;
}

uint64_t lt_runs_pending_bytes(const struct lt_dump_runs *runs) {
    uint64_t sum = 0;
    for (uint32_t i = runs->count - runs->pending; i < runs->count; i++)
        sum += runs->items[i].length;
    return sum;
}

void lt_runs_commit(struct lt_dump_runs *runs, uint32_t time_cs) {
    runs->bytes += lt_runs_pending_bytes(runs);
    for (uint32_t i = runs->count - runs->pending; i < runs->count; i++)
        runs->items[i].time_cs = time_cs;
    runs->snapshots += runs->pending > 0;
    runs->number += runs->pending > 0;
    runs->pending = 0;
}

void lt_runs_rollback(struct lt_dump_runs *runs) {
    runs->count -= runs->pending;
    runs->pending = 0;
}

uint32_t lt_runs_victim(const struct lt_dump_runs *runs) {
    const struct lt_dump_run *before = NULL, *candidate = NULL; /* the two snapshots that precede */
    uint32_t victim = 0, least = UINT32_MAX;
    for (uint32_t i = 0; i < runs->count - runs->pending; i++) {
        const struct lt_dump_run *run = &runs->items[i];
        if (!run->snapshot || (candidate && run->snapshot == candidate->snapshot))
            continue;
        if (candidate && !before)
            victim = candidate->snapshot; /* the first, unless there is one between it and the newest */
        if (before && run->time_cs - before->time_cs < least) {
            least = run->time_cs - before->time_cs;
            victim = candidate->snapshot;
        }
        before = candidate;
        candidate = run;
    }
    return victim;
}

static bool touch(const struct lt_dump_run *left, const struct lt_dump_run *right) {
    return end_of(left) == right->offset;
}

static void remove_items(struct lt_dump_runs *runs, uint32_t at, uint32_t how_many) {
    memmove(&runs->items[at], &runs->items[at + how_many], (runs->count - at - how_many) * sizeof *runs->items);
    runs->count -= how_many;
}

/* Merges the hole at `at` with its neighbours; returns where it is then. */
static uint32_t merge(struct lt_dump_runs *runs, uint32_t at) {
    struct lt_dump_run *items = runs->items;
    if (at + 1 < runs->count && !items[at + 1].snapshot && touch(&items[at], &items[at + 1])) {
        items[at].length += items[at + 1].length;
        remove_items(runs, at + 1, 1);
    }
    if (at > 0 && !items[at - 1].snapshot && touch(&items[at - 1], &items[at])) {
        items[at - 1].length += items[at].length;
        remove_items(runs, at--, 1);
    }
    return at;
}

/* A hole between dictionaries can't grow any more: nobody needs to know of it. */
static void forget_if_alone(struct lt_dump_runs *runs, uint32_t at) {
    const struct lt_dump_run *hole = &runs->items[at];
    bool left = at > 0 && touch(hole - 1, hole), right = at + 1 < runs->count && touch(hole, hole + 1);
    if (!left && !right)
        remove_items(runs, at, 1);
}

bool lt_runs_thin(struct lt_dump_runs *runs, uint32_t snapshot, struct lt_dump_run *hole) {
    uint32_t at = 0;
    while (at < runs->count && runs->items[at].snapshot != snapshot)
        at++;
    if (at == runs->count)
        return false;
    bool more = at + 1 < runs->count && runs->items[at + 1].snapshot == snapshot;
    runs->snapshots -= !more;
    runs->bytes -= runs->items[at].length;
    runs->items[at].snapshot = 0;
    at = merge(runs, at);
    *hole = runs->items[at];
    forget_if_alone(runs, at);
    return true;
}

void lt_runs_clear(struct lt_dump_runs *runs) {
    *runs = (struct lt_dump_runs){.items = runs->items, .capacity = runs->capacity};
}
