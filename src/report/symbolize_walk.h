/* Visits debugging information entries (DIEs) in file order, without recursion: a file decides how deep they nest. */
#ifndef LT_REPORT_SYMBOLIZE_WALK_H
#define LT_REPORT_SYMBOLIZE_WALK_H

#include <elfutils/libdw.h>
#include <stdbool.h>
#include <stddef.h>

/* A file that nests deeper is taken for damaged. The deepest seen in a real one is 29 (inlined calls of a Rust
 * program). */
enum { LT_DIE_DEPTH_MAX = 256 };

struct lt_die_walk {
    size_t depth; /* of the entry last returned; the root's is 0 */
    Dwarf_Die path[LT_DIE_DEPTH_MAX];
};

/* Begins at `root`, which itself is not returned. */
void lt_die_walk_start(struct lt_die_walk *walk, const Dwarf_Die *root);

/* The next entry below the root: the current one's first child if `into`, else what follows its children. The pointer
 * is valid until the next call. NULL at the end, and where the file is damaged: the walk is over then. */
Dwarf_Die *lt_die_walk_next(struct lt_die_walk *walk, bool into);

#endif
