/* A pool: records of one size, appended by one owning thread in chunks of the arena, read by any thread meanwhile.
 *
 * A record becomes visible when its chunk's count is raised with release; chunks, once linked, never move. Every chunk
 * belongs to one unload epoch: with the epoch begins a new chunk, so that a record needs no epoch of its own. */
#ifndef LT_TRACK_POOL_H
#define LT_TRACK_POOL_H

#include <stddef.h>
#include <stdint.h>

struct lt_pool_chunk {
    _Atomic uint32_t next;  /* arena ref of the chunk made after this one, 0 = none yet */
    _Atomic uint32_t count; /* records published */
    uint32_t capacity;
    uint32_t epoch;
    uint64_t records[]; /* capacity * record_size bytes */
};

struct lt_pool {
    _Atomic uint32_t first; /* arena ref of the oldest chunk, 0 = the pool is empty */
    uint32_t last;          /* of the newest; the owner's */
    uint32_t record_size;   /* a multiple of 8 */
};

/* Room for one more record of `epoch`, at the same place until lt_pool_publish; its content is undefined. Owner only.
 * NULL when the arena is full. */
void *lt_pool_room(struct lt_pool *, uint32_t epoch);

/* Makes the record at the last lt_pool_room visible: all of it has been written. Owner only. */
void lt_pool_publish(struct lt_pool *);

/* Begins anew; the old records stay where they are. Nobody reads meanwhile. An append that it interrupts is lost. */
void lt_pool_forget(struct lt_pool *);

/* A place in a pool: all zeros is its start. A cursor that met the end goes on with what is appended later. */
struct lt_pool_cursor {
    uint32_t chunk, index;
};

/* The record at the cursor, which moves behind it, and the epoch of that record (`epoch` may be NULL); NULL at the end.
 * Any thread. Records come in the order in which they were made. */
void *lt_pool_next(const struct lt_pool *, struct lt_pool_cursor *, uint32_t *epoch);

/* How many records there are. Any thread. */
uint32_t lt_pool_count(const struct lt_pool *);

#endif
