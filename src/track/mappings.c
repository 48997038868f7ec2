#include "track/mappings.h"

#include "os/arena.h"
#include "track/counters.h"
#include "track/intervals.h"
#include "track/table_lock.h"
#include "track/thread.h"

static struct lt_table_lock lock;
static struct lt_intervals map;
static uint32_t serials;

int lt_mappings_init(void) {
    map = (struct lt_intervals){.random = 0};
    lt_table_lock_reset(&lock);
    return 0;
}

static uintptr_t lower(uintptr_t a, uintptr_t b) {
    return a < b ? a : b;
}

static uintptr_t higher(uintptr_t a, uintptr_t b) {
    return a > b ? a : b;
}

static void copy_out(struct lt_mapping *to, const struct lt_interval *from) {
    *to = from->mapping;
    if (lt_inherited(to->holding.site))
        to->origin = LT_ORIGIN_INHERITED;
}

static void insert_or_lose(struct lt_thread *thread, const struct lt_mapping *mapping) {
    if (lt_intervals_insert(&map, mapping))
        return;
    lt_untracked(LT_UNTRACKED_ARENA_FULL);
    lt_resource_release(thread, &mapping->holding, 1, mapping->end - mapping->start);
}

/* `piece` lies in `node` and goes. */
static void cut_out(struct lt_thread *thread, struct lt_interval *node, const struct lt_mapping *piece) {
    struct lt_mapping rest = node->mapping;
    const bool keeps_low = piece->start > rest.start, keeps_high = piece->end < rest.end;
    const int64_t pieces_less = keeps_low && keeps_high ? -1 : keeps_low || keeps_high ? 0 : 1;
    lt_resource_release(thread, &piece->holding, pieces_less, piece->end - piece->start);
    rest.start = piece->end;
    if (keeps_low)
        node->mapping.end = piece->start;
    else if (keeps_high)
        node->mapping.start = piece->end;
    else
        lt_intervals_remove(&map, node);
    if (keeps_low && keeps_high)
        insert_or_lose(thread, &rest);
}

/* Room in the caller's frame for the usual few, records of the map for more. */
static void remember(struct lt_mappings_taken *taken, const struct lt_mapping *piece) {
    if (taken->count < LT_MAPPING_FIRST) {
        taken->first[taken->count++] = *piece;
        return;
    }
    struct lt_interval *node = lt_intervals_spare(&map, piece);
    if (!node)
        return; /* can't be put back; the next snapshot shows it as nobody's */
    node->next[0] = taken->rest;
    taken->rest = lt_arena_ref(node);
    taken->count++;
}

/* Takes out what lies in [start, end), of the acquisition `serial` alone unless that is 0. `taken` may be NULL. Whether
 * there was anything. */
static bool take(struct lt_thread *thread, uintptr_t start, uintptr_t end, uint32_t serial,
                 struct lt_mappings_taken *taken) {
    bool any = false;
    struct lt_interval *node;
    for (uintptr_t at = start; at < end && (node = lt_intervals_at(&map, at)) && node->mapping.start < end;) {
        struct lt_mapping piece;
        copy_out(&piece, node);
        piece.start = higher(piece.start, start);
        piece.end = at = lower(piece.end, end);
        if (serial && serial != piece.serial)
            continue;
        if (taken)
            remember(taken, &piece);
        cut_out(thread, node, &piece);
        any = true;
    }
    return any;
}

void lt_mapping_take(struct lt_thread *thread, uintptr_t start, uintptr_t end, struct lt_mappings_taken *taken) {
    if (start >= end || !lt_table_lock(&lock))
        return;
    take(thread, start, end, 0, taken);
    lt_table_unlock(&lock);
}

void lt_mapping_take_attached(struct lt_thread *thread, uintptr_t start, struct lt_mappings_taken *taken) {
    if (!lt_table_lock(&lock))
        return;
    const struct lt_interval *node = lt_intervals_at(&map, start);
    uint32_t serial = 0;
    for (unsigned left = LT_MAPPING_LOOK_AT; node && left > 0; left--) {
        const struct lt_mapping record = node->mapping;
        if (record.attached == start && (!serial || serial == record.serial)) {
            serial = record.serial;
            take(thread, record.start, record.end, serial, taken);
        }
        node = lt_intervals_at(&map, record.end);
    }
    lt_table_unlock(&lock);
}

bool lt_mapping_put(struct lt_thread *thread, const struct lt_mapping *mapping) {
    const uint64_t size = mapping->end - mapping->start;
    if (!lt_table_lock(&lock)) {
        lt_resource_release(thread, &mapping->holding, 1, size);
        return false;
    }
    struct lt_mapping record = *mapping;
    record.serial = ++serials ? serials : ++serials;
    if (take(thread, record.start, record.end, 0, NULL))
        lt_untracked(LT_UNTRACKED_MISSED_RELEASE);
    const bool held = lt_intervals_insert(&map, &record);
    if (!held) {
        lt_untracked(LT_UNTRACKED_ARENA_FULL);
        lt_resource_release(thread, &mapping->holding, 1, size);
    }
    lt_table_unlock(&lock);
    return held;
}

/* Puts `piece` into a gap of the map, joined to what is left of its acquisition on either side. */
static void fill(struct lt_thread *thread, const struct lt_mapping *piece) {
    const uint64_t size = piece->end - piece->start;
    struct lt_interval *low = lt_intervals_at(&map, piece->start - 1), *high = lt_intervals_at(&map, piece->end - 1);
    const bool joins_low = low && low->mapping.end == piece->start && low->mapping.serial == piece->serial;
    const bool joins_high = high && high->mapping.start == piece->end && high->mapping.serial == piece->serial;
    lt_resource_keep(thread, &piece->holding, joins_low && joins_high ? -1 : joins_low || joins_high ? 0 : 1, size);
    if (joins_low && joins_high) {
        const uintptr_t end = high->mapping.end;
        lt_intervals_remove(&map, high);
        low->mapping.end = end;
    } else if (joins_low) {
        low->mapping.end = piece->end;
    } else if (joins_high) {
        high->mapping.start = piece->start;
    } else {
        insert_or_lose(thread, piece);
    }
}

static void fill_gaps(struct lt_thread *thread, const struct lt_mapping *piece) {
    for (uintptr_t start = piece->start, next; start < piece->end; start = next) {
        const struct lt_interval *node = lt_intervals_at(&map, start);
        struct lt_mapping gap = *piece;
        gap.start = start;
        gap.end = node ? lower(node->mapping.start, piece->end) : piece->end;
        next = node && node->mapping.start < piece->end ? node->mapping.end : piece->end;
        if (gap.start < gap.end)
            fill(thread, &gap);
    }
}

/* Takes one off the chain. The lock is held. */
static struct lt_mapping next_of_rest(struct lt_mappings_taken *taken) {
    struct lt_interval *node = lt_arena_at(taken->rest);
    const struct lt_mapping piece = node->mapping;
    taken->rest = node->next[0];
    lt_intervals_give_back(&map, node);
    return piece;
}

void lt_mapping_gone(struct lt_mappings_taken *taken) {
    if (lt_likely(!taken->rest) || !lt_table_lock(&lock))
        return;
    while (taken->rest)
        next_of_rest(taken);
    lt_table_unlock(&lock);
}

void lt_mapping_put_back(struct lt_thread *thread, struct lt_mappings_taken *taken) {
    if (!taken->count || !lt_table_lock(&lock))
        return;
    for (unsigned i = 0; i < taken->count && i < LT_MAPPING_FIRST; i++)
        fill_gaps(thread, &taken->first[i]);
    while (taken->rest) {
        const struct lt_mapping piece = next_of_rest(taken);
        fill_gaps(thread, &piece);
    }
    lt_table_unlock(&lock);
}

bool lt_mapping_next(uintptr_t address, struct lt_mapping *found) {
    if (!lt_table_lock(&lock))
        return false;
    const struct lt_interval *node = lt_intervals_at(&map, address);
    if (node)
        copy_out(found, node);
    lt_table_unlock(&lock);
    return node != NULL;
}

bool lt_mapping_at(uintptr_t address, struct lt_mapping *found) {
    return lt_mapping_next(address, found) && found->start <= address;
}

bool lt_mapping_vanished(uintptr_t start, uintptr_t end, const struct lt_mapping *seen) {
    if (!lt_table_lock(&lock))
        return false;
    const bool any = take(NULL, start, end, seen->serial, NULL);
    lt_table_unlock(&lock);
    return any;
}

void lt_mappings_forked(void) {
    lt_table_lock_reset(&lock);
}
