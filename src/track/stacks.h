/* The call stacks of one thread: a trie of nodes (parent, return address), and the sites at the ends of its paths.
 *
 *   root (epoch, truncated?) ── outermost frame ── ... ── innermost frame ── site (kind) ── site (kind) ...
 *
 * Only the owner looks nodes up, in a private hash table of 8-byte slots {hash of the path, node}: it has the nodes
 * with sites, and all others but only children, whom their parents name. Everybody else reads nodes and sites in their
 * pools (pool.h) and follows `parent` and `node`, which never change.
 *
 * A site hangs on the node of its innermost frame, in a list by kind (nearly always of one element). A node costs 24
 * bytes, and 11 to 16 bytes of hash table unless it is an only child without a site; a site 40. docs/design/tables.md
 * has the alternatives. */
#ifndef LT_TRACK_STACKS_H
#define LT_TRACK_STACKS_H

#include "base/kind.h"
#include "track/pool.h"
#include "track/site_numbers.h"
#include "unwind/unwind.h"

#include <stdbool.h>
#include <stdint.h>

struct lt_node {
    uint64_t address; /* return address; of a root: epoch * 2 + (1 if truncated) */
    uint32_t parent;  /* arena ref, as all of these; 0 for a root */
    uint32_t child;   /* its first one; the owner's */
    uint32_t site;    /* first site that ends here; the owner's */
    uint32_t dump_id; /* its number in the dump's NODES, 0 = none yet; the snapshot's */
};

struct lt_site {
    uint32_t node;      /* the innermost frame */
    uint32_t next;      /* another kind's site at the same node; the owner's */
    uint32_t kind : 4;  /* enum lt_kind */
    uint32_t flags : 2; /* enum lt_site_flag */
    uint32_t number : LT_SITE_BITS;
    _Atomic uint32_t first_birth, last_birth;  /* centiseconds, lt_clock_cs(); meaningful once alloc_count > 0 */
    uint32_t ages;                             /* the snapshot's: see tally.h */
    _Atomic uint64_t alloc_count, alloc_bytes; /* written by the owner only */
};

/* While sampling, behind each site (sampler.h). Written by the owner only. */
struct lt_site_samples {
    _Atomic uint64_t acquired;                       /* how many of its acquisitions were sampled */
    _Atomic uint64_t count_variance, bytes_variance; /* sums over them, in the units of struct lt_weight */
};
static inline struct lt_site_samples *lt_site_samples(struct lt_site *site) {
    return (struct lt_site_samples *)(site + 1);
}

/* Slots: the hash of the path << 32 | node; 0 = empty. */
struct lt_stack_table {
    uint64_t *slots; /* whole pages outside the arena: freed when the table grows */
    uint32_t count, used;
};

#define LT_NO_ROOT UINT64_MAX
struct lt_stacks {
    uint64_t root_key;           /* `address` of the root of the stack looked up last, or LT_NO_ROOT */
    uint64_t root;               /* the note of that root */
    uint32_t epoch;              /* new nodes and sites belong to it */
    struct lt_stack_table table; /* not empty where there is a root */
    struct lt_pool nodes, sites;
    _Atomic uint32_t roots[2]; /* how many roots there are: of whole stacks, of truncated ones */
};

/* Sites made before then (lt_clock_cs) are marked LT_SITE_WARMUP; 0 = none is. */
extern _Atomic uint32_t lt_stacks_warm_until;

/* Makes an empty trie of zeroed memory; takes no memory yet. */
void lt_stacks_init(struct lt_stacks *);

/* The site of (stack, kind), made on first sight. `stack` is the latest capture of an unwind state whose notes are this
 * trie's and nobody else's. Owner only. NULL when memory is used up; nothing is lost then but this. */
struct lt_site *lt_stacks_site(struct lt_stacks *, const struct lt_stack *stack, enum lt_kind);

/* In a forked child, where nobody else can be reading: forgets all nodes and sites (their memory stays: the live index
 * may refer to it). `in_use`: the trie is the calling thread's. Then its hash table stays, and what was going on in it
 * may go on: the fork can have come from a signal handler that interrupted this very trie. */
void lt_stacks_forked(struct lt_stacks *, bool in_use);

/* Bytes of the hash table. */
uint64_t lt_stacks_table_bytes(const struct lt_stacks *);

#endif
