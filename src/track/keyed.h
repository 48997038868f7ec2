/* Records of one size that are found by a 64-bit key: a hash table with chains, in arena memory; records never move and
 * are used again when they are gone. For the small tables of resources that are known by a handle. The caller holds a
 * lock; the tables of table_lock.h: sound between any two stores. */
#ifndef LT_TRACK_KEYED_H
#define LT_TRACK_KEYED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Every record begins with this. */
struct lt_keyed_record {
    uint64_t key;
    uint32_t next;       /* arena ref: in its chain, or of unused records */
    uint32_t generation; /* odd while the record is in use; rises when it is taken and given up */
    bool has_key;        /* stands in a chain */
};

enum { LT_KEYED_CHAINS = 1024, LT_KEYED_FIRST_CHUNK = 32, LT_KEYED_CHUNKS = 24 };

struct lt_keyed {
    uint32_t record_size; /* a multiple of 8 */
    uint32_t unused;      /* arena ref of a chain */
    uint32_t capacity;    /* records in all chunks; each chunk but the second is as large as all before it */
    uint32_t chunks[LT_KEYED_CHUNKS];
    uint32_t chains[LT_KEYED_CHAINS];
};

/* A record in use, without a key, zeroed but for its first part; NULL where no memory is left. */
void *lt_keyed_new(struct lt_keyed *);

/* Gives the record its key, under which lt_keyed_find finds it: the newest of those with that key. lt_keyed_next: the
 * next older one. */
void lt_keyed_set_key(struct lt_keyed *, struct lt_keyed_record *, uint64_t key);
void *lt_keyed_find(const struct lt_keyed *, uint64_t key);
void *lt_keyed_next(const struct lt_keyed_record *);

/* Gives the record up. */
void lt_keyed_free(struct lt_keyed *, struct lt_keyed_record *);

/* Record number `i`, in use or not; NULL after the last. The first one in use at or after *i, which is set to its
 * number; NULL after the last. */
void *lt_keyed_at(const struct lt_keyed *, uint32_t i);
void *lt_keyed_used(const struct lt_keyed *, uint32_t *i);

#endif
