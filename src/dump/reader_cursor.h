/* Reads one payload forward and never past its end. Fields are not checked one by one by who reads rows: the cursor
 * remembers the first failure, and after it nothing is left to read and every number is 0. */
#ifndef LT_DUMP_READER_CURSOR_H
#define LT_DUMP_READER_CURSOR_H

#include "base/attrs.h"
#include "base/varint.h"
#include "dump/reader.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct lt_cursor {
    const uint8_t *at, *end;
    uint64_t row;        /* at hand, from 1; 0 = in front of the rows */
    const char *failure; /* what is wrong with that row, a static string; NULL = nothing so far */
    bool no_memory;      /* the failure is ours, not the file's */
};

struct lt_cursor lt_cursor(const void *bytes, size_t size);
void lt_cursor_fail(struct lt_cursor *, const char *failure);
void lt_cursor_fail_memory(struct lt_cursor *);

uint64_t lt_cursor_get_long(struct lt_cursor *); /* what lt_cursor_get does not do in line */

/* A varint. */
static inline uint64_t lt_cursor_get(struct lt_cursor *cursor) {
    if (lt_likely(cursor->at < cursor->end && *cursor->at < 0x80))
        return *cursor->at++;
    return lt_cursor_get_long(cursor);
}

/* A varint below 2^32. */
static inline uint32_t lt_cursor_get32(struct lt_cursor *cursor) {
    const uint64_t value = lt_cursor_get(cursor);
    if (lt_unlikely(value > UINT32_MAX))
        lt_cursor_fail(cursor, "holds a number above 32 bits");
    return (uint32_t)value;
}

/* A varint below `end`, one of the numbers that the reader knows; `failure` says what else it is. */
uint32_t lt_cursor_below(struct lt_cursor *, uint32_t end, const char *failure);

/* The sum of the row before and a difference; `end` is the first value that is too large. */
uint64_t lt_cursor_step(struct lt_cursor *, uint64_t before, uint64_t end, const char *failure);

uint32_t lt_cursor_kind(struct lt_cursor *); /* 0 after a failure only */
uint32_t lt_cursor_module(struct lt_cursor *, const struct lt_dump *);
uint32_t lt_cursor_node(struct lt_cursor *, const struct lt_dump *);

/* A count of rows that take at least `row_min` bytes each: one that the bytes left can't hold never allocates. */
size_t lt_cursor_count(struct lt_cursor *, size_t row_min);

/* `bytes`; they stay where they are. */
const uint8_t *lt_cursor_bytes(struct lt_cursor *, size_t *size);

/* `bytes` as a text in the dump's memory, "" after a failure; the same of all that is left. */
const char *lt_cursor_text(struct lt_cursor *, struct lt_dump *);
const char *lt_cursor_rest(struct lt_cursor *, struct lt_dump *);

/* Makes room for `more` items behind `count` in the array that `items` points to; false, with the failure told, if not.
 */
bool lt_cursor_room(struct lt_cursor *, void *items, size_t *room, size_t count, size_t more, size_t size);

#endif
