#include "track/handles.h"

#include "track/counters.h"
#include "track/keyed.h"
#include "track/table_lock.h"
#include "track/thread.h"

#include <string.h>

struct record {
    struct lt_keyed_record keyed;
    struct lt_handle handle;
};

static struct lt_table_lock lock;
static struct lt_keyed table;

int lt_handles_init(void) {
    memset(&table, 0, sizeof table);
    table.record_size = sizeof(struct record);
    lt_table_lock_reset(&lock);
    return 0;
}

static struct record *find(enum lt_kind kind, uint64_t handle) {
    struct record *record = lt_keyed_find(&table, handle);
    while (record && record->handle.kind != kind)
        record = lt_keyed_next(&record->keyed);
    return record;
}

static void count_release(const struct lt_handle *handle, enum lt_untracked reason) {
    lt_untracked(reason);
    lt_resource_release(NULL, &handle->holding, 1, 0);
}

static bool put(const struct lt_handle *handle) {
    struct record *record = find(handle->kind, handle->handle);
    if (record) {
        count_release(&record->handle, LT_UNTRACKED_MISSED_RELEASE);
        record->handle = *handle;
        return true;
    }
    record = lt_keyed_new(&table);
    if (!record) {
        count_release(handle, LT_UNTRACKED_ARENA_FULL);
        return false;
    }
    record->handle = *handle;
    lt_keyed_set_key(&table, &record->keyed, handle->handle);
    return true;
}

bool lt_handle_put(const struct lt_handle *handle) {
    if (!lt_table_lock(&lock)) { /* which has counted it */
        lt_resource_release(NULL, &handle->holding, 1, 0);
        return false;
    }
    const bool held = put(handle);
    lt_table_unlock(&lock);
    return held;
}

static void copy_out(struct lt_handle *to, const struct record *from) {
    *to = from->handle;
    to->inherited = lt_inherited(to->holding.site);
}

bool lt_handle_take(enum lt_kind kind, uint64_t handle, struct lt_handle *taken) {
    if (!lt_table_lock(&lock))
        return false;
    struct record *record = find(kind, handle);
    if (record) {
        copy_out(taken, record);
        lt_keyed_free(&table, &record->keyed);
    }
    lt_table_unlock(&lock);
    return record != NULL;
}

bool lt_handle_next(uint32_t *i, struct lt_handle *found) {
    if (!lt_table_lock(&lock))
        return false;
    const struct record *record = lt_keyed_used(&table, i);
    if (record)
        copy_out(found, record);
    lt_table_unlock(&lock);
    return record != NULL;
}

void lt_handles_forked(void) {
    lt_table_lock_reset(&lock);
    uint32_t i = 0;
    for (struct record *record; (record = lt_keyed_used(&table, &i)); i++)
        if (record->handle.kind == LT_KIND_TIMER)
            lt_keyed_free(&table, &record->keyed);
}
