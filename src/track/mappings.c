#include "track/mappings.h"

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

/* Takes out what lies in [start, end), of the acquisition `serial` alone unless that is 0. */
static unsigned take(struct lt_thread *thread, uintptr_t start, uintptr_t end, uint32_t serial,
                     struct lt_mapping *taken, unsigned capacity) {
    unsigned count = 0;
    struct lt_interval *node;
    for (uintptr_t at = start; at < end && (node = lt_intervals_at(&map, at)) && node->mapping.start < end;) {
        struct lt_mapping piece;
        copy_out(&piece, node);
        piece.start = higher(piece.start, start);
        piece.end = at = lower(piece.end, end);
        if (serial && serial != piece.serial)
            continue;
        if (count < capacity)
            taken[count] = piece;
        count++;
        cut_out(thread, node, &piece);
    }
    return count;
}

unsigned lt_mapping_take(struct lt_thread *thread, uintptr_t start, uintptr_t end, struct lt_mapping *taken,
                         unsigned capacity) {
    if (start >= end || !lt_table_lock(&lock))
        return 0;
    unsigned count = take(thread, start, end, 0, taken, capacity);
    lt_table_unlock(&lock);
    return count;
}

unsigned lt_mapping_take_attached(struct lt_thread *thread, uintptr_t start, struct lt_mapping *taken,
                                  unsigned capacity) {
    if (!lt_table_lock(&lock))
        return 0;
    const struct lt_interval *node = lt_intervals_at(&map, start);
    unsigned count = 0;
    if (node && node->mapping.start == start && node->mapping.attached)
        count = take(thread, start, start + node->mapping.attached, node->mapping.serial, taken, capacity);
    lt_table_unlock(&lock);
    return count;
}

bool lt_mapping_put(struct lt_thread *thread, const struct lt_mapping *mapping) {
    const uint64_t size = mapping->end - mapping->start;
    if (!lt_table_lock(&lock)) {
        lt_resource_release(thread, &mapping->holding, 1, size);
        return false;
    }
    struct lt_mapping record = *mapping;
    record.serial = ++serials ? serials : ++serials;
    if (take(thread, record.start, record.end, 0, NULL, 0))
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

void lt_mapping_put_back(struct lt_thread *thread, const struct lt_mapping *taken, unsigned count) {
    if (!count || !lt_table_lock(&lock))
        return;
    for (unsigned i = 0; i < count; i++)
        fill_gaps(thread, &taken[i]);
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
    const unsigned count = take(NULL, start, end, seen->serial, NULL, 0);
    lt_table_unlock(&lock);
    return count > 0;
}

void lt_mappings_forked(void) {
    lt_table_lock_reset(&lock);
}
