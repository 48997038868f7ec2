/* libdw gives an entry's first child and next sibling; the path from the root to the current entry is all that a walk
 * needs on top of that. */
#include "report/symbolize_walk.h"

void lt_die_walk_start(struct lt_die_walk *walk, const Dwarf_Die *root) {
    walk->depth = 0;
    walk->path[0] = *root;
}

/* A sibling reference that points backwards would make a walk endless. */
static bool step_to_sibling(Dwarf_Die *die) {
    Dwarf_Die next;
    if (dwarf_siblingof(die, &next) != 0 || (const char *)next.addr <= (const char *)die->addr)
        return false;
    *die = next;
    return true;
}

Dwarf_Die *lt_die_walk_next(struct lt_die_walk *walk, bool into) {
    Dwarf_Die *current = &walk->path[walk->depth];
    Dwarf_Die child;
    if (into && dwarf_child(current, &child) == 0) {
        if (walk->depth + 1 == LT_DIE_DEPTH_MAX)
            return NULL;
        walk->path[++walk->depth] = child;
        return &walk->path[walk->depth];
    }
    for (; walk->depth > 0; walk->depth--)
        if (step_to_sibling(&walk->path[walk->depth]))
            return &walk->path[walk->depth];
    return NULL;
}
