#include "dump/reader_cursor.h"

#include "dump/reader_memory.h"

#include <string.h>

struct lt_cursor lt_cursor(const void *bytes, size_t size) {
    return (struct lt_cursor){.at = bytes, .end = (const uint8_t *)bytes + size};
}

void lt_cursor_fail(struct lt_cursor *cursor, const char *failure) {
    if (!cursor->failure)
        cursor->failure = failure;
    cursor->at = cursor->end;
}

void lt_cursor_fail_memory(struct lt_cursor *cursor) {
    cursor->no_memory = true;
    lt_cursor_fail(cursor, "needs more memory than there is");
}

static size_t bytes_left(const struct lt_cursor *cursor) {
    return (size_t)(cursor->end - cursor->at);
}

uint64_t lt_cursor_get_long(struct lt_cursor *cursor) {
    uint64_t value = 0;
    const size_t used = lt_varint_get(cursor->at, bytes_left(cursor), &value);
    if (lt_unlikely(used == 0))
        lt_cursor_fail(cursor, "ends inside a number");
    cursor->at += used;
    return value;
}

uint32_t lt_cursor_below(struct lt_cursor *cursor, uint32_t end, const char *failure) {
    const uint64_t value = lt_cursor_get(cursor);
    if (lt_likely(value < end))
        return (uint32_t)value;
    lt_cursor_fail(cursor, failure);
    return 0;
}

uint64_t lt_cursor_step(struct lt_cursor *cursor, uint64_t before, uint64_t end, const char *failure) {
    const uint64_t step = lt_cursor_get(cursor);
    if (lt_unlikely(before >= end || step >= end - before)) {
        lt_cursor_fail(cursor, failure);
        return 0;
    }
    return before + step;
}

uint32_t lt_cursor_kind(struct lt_cursor *cursor) {
    static const char failure[] = "is of a kind that this reader does not know";
    const uint32_t kind = lt_cursor_below(cursor, LT_KIND_END, failure);
    if (lt_unlikely(kind == 0))
        lt_cursor_fail(cursor, failure);
    return kind;
}

uint32_t lt_cursor_module(struct lt_cursor *cursor, const struct lt_dump *dump) {
    return lt_cursor_below(cursor, (uint32_t)dump->module_count, "refers to an unknown module");
}

uint32_t lt_cursor_node(struct lt_cursor *cursor, const struct lt_dump *dump) {
    return lt_cursor_below(cursor, (uint32_t)dump->node_count, "refers to an unknown node");
}

size_t lt_cursor_count(struct lt_cursor *cursor, size_t row_min) {
    const uint64_t count = lt_cursor_get(cursor);
    if (count <= bytes_left(cursor) / row_min)
        return (size_t)count;
    lt_cursor_fail(cursor, "counts more rows than its bytes can hold");
    return 0;
}

const uint8_t *lt_cursor_bytes(struct lt_cursor *cursor, size_t *size) {
    const uint64_t length = lt_cursor_get(cursor);
    const uint8_t *bytes = cursor->at;
    *size = 0;
    if (length > bytes_left(cursor)) {
        lt_cursor_fail(cursor, "ends inside a name");
        return bytes;
    }
    *size = (size_t)length;
    cursor->at += length;
    return bytes;
}

static const char *copy_text(struct lt_cursor *cursor, struct lt_dump *dump, const uint8_t *bytes, size_t length) {
    if (length == 0)
        return "";
    if (memchr(bytes, 0, length)) {
        lt_cursor_fail(cursor, "has a NUL in a name");
        return "";
    }
    char *text = lt_dump_alloc(&dump->memory, length + 1);
    if (!text) {
        lt_cursor_fail_memory(cursor);
        return "";
    }
    memcpy(text, bytes, length);
    text[length] = 0;
    return text;
}

const char *lt_cursor_text(struct lt_cursor *cursor, struct lt_dump *dump) {
    size_t length;
    const uint8_t *bytes = lt_cursor_bytes(cursor, &length);
    return copy_text(cursor, dump, bytes, length);
}

const char *lt_cursor_rest(struct lt_cursor *cursor, struct lt_dump *dump) {
    return copy_text(cursor, dump, cursor->at, bytes_left(cursor));
}

bool lt_cursor_room(struct lt_cursor *cursor, void *items, size_t *room, size_t count, size_t more, size_t size) {
    if (lt_dump_grow(items, room, count + more, size) == 0)
        return true;
    lt_cursor_fail_memory(cursor);
    return false;
}
