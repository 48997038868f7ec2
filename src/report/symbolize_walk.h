/* Visits debugging information entries (DIEs) in file order, without recursion: a file decides how deep they nest. */
#ifndef LT_REPORT_SYMBOLIZE_WALK_H
#define LT_REPORT_SYMBOLIZE_WALK_H

#include <elfutils/libdw.h>
#include <stdbool.h>
#include <stddef.h>

/* Deeper entries are passed over. The deepest seen in real files is below 60. */
enum { LT_DIE_DEPTH_MAX = 512 };

struct lt_die_walk {
    size_t depth; /* of the entry last returned; the root's is 0 */
    Dwarf_Die path[LT_DIE_DEPTH_MAX];
};

/* Begins at `root`, which itself is not returned. */
void lt_die_walk_start(struct lt_die_walk *walk, const Dwarf_Die *root);

/* The next entry below the root: the current one's first child if `into`, else what follows its children. The pointer
 * is valid until the next call. NULL at the end, or where the file is damaged. */
Dwarf_Die *lt_die_walk_next(struct lt_die_walk *walk, bool into);

#endif
