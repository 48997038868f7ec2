/* From an address to its lines of source, innermost inline first: exactly the frames of addr2line -i. */
#ifndef LT_REPORT_SYMBOLIZE_LINES_H
#define LT_REPORT_SYMBOLIZE_LINES_H

#include "report/go_table.h"
#include "report/symbolize.h"
#include "report/symbolize_names.h"
#include "report/symbolize_symtab.h"
#include "report/symbolize_units.h"

#include <stddef.h>
#include <stdint.h>

/* More inlined calls at one address are cut at the inner end. Compilers stay below 40. */
enum { LT_LINES_MAX = 256 };

/* What an address is looked up in. */
struct lt_line_source {
    struct lt_units *units;         /* NULL: no DWARF */
    const struct lt_go_table *go;   /* code that DWARF does not know; may be empty */
    const struct lt_symtab *symtab; /* NULL: no symbols */
    struct lt_symbol_names *names;
};

/* Fills lines[0 .. result). Returns 0 where none of them knows `vaddr`. */
size_t lt_lines_find(const struct lt_line_source *source, uint64_t vaddr, struct lt_symbol_line lines[LT_LINES_MAX]);

#endif
