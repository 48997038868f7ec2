/* The index over one file's DWARF: which compilation unit, then which function holds an address, and what an entry is
 * declared in. Addresses are those of the module's file; `delta` takes them to those of the DWARF. */
#ifndef LT_REPORT_SYMBOLIZE_UNITS_H
#define LT_REPORT_SYMBOLIZE_UNITS_H

#include "base/status.h"
#include "report/symbolize_ranges.h"

#include <elfutils/libdw.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct lt_unit;

struct lt_units { /* all zero is an empty one */
    Dwarf *dwarf;
    uint64_t delta;               /* address in the DWARF = vaddr + delta (prelinked files; else 0) */
    const struct lt_ranges *code; /* executable segments; whatever lies elsewhere was dropped by the linker */
    struct lt_unit **list;        /* those with code in file order, then others that names led to */
    size_t count, capacity;
    struct lt_ranges ranges; /* values: indices of list */
    struct lt_unit *by_cu;   /* the same units by libdw's handle */
    bool strays_indexed;     /* units that do not say which addresses they cover have been searched too */
    size_t split_missing;    /* units whose code is described in a .dwo file that was not found */
    bool out_of_memory;
};

/* Lists the units of `dwarf`. `code` must outlive the index. Returns 0 or -ENOMEM. */
LT_STATUS lt_units_open(struct lt_units *units, Dwarf *dwarf, uint64_t delta, const struct lt_ranges *code);
void lt_units_close(struct lt_units *units);

/* The unit that holds `vaddr`, its functions indexed; NULL where none does. */
struct lt_unit *lt_units_find(struct lt_units *units, uint64_t vaddr);

/* Where a unit's line table hangs, and what its functions are read from: two entries where the DWARF is split. */
Dwarf_Die *lt_unit_line_die(struct lt_unit *unit);
Dwarf_Die *lt_unit_code_die(struct lt_unit *unit);

/* The innermost function with code at `vaddr`, or NULL. */
const Dwarf_Die *lt_unit_function(const struct lt_unit *unit, uint64_t vaddr);

/* The namespace, class or function that `die` is declared in: false at the top of its unit. */
bool lt_units_scope(struct lt_units *units, Dwarf_Die *die, Dwarf_Die *scope);

#endif
