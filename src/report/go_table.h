/* Names, files and lines of Go code from the table that Go's own runtime uses (.gopclntab). It is in every Go program,
 * also in one linked with -ldflags "-s -w" or stripped, where it is all there is.
 *
 * Layouts: magic 0xfffffffa (Go 1.16), 0xfffffff0 (1.18) and 0xfffffff1 (1.20 to 1.27); inlined calls from 1.18 on.
 * Sources: runtime/symtab.go, runtime/symtabinl.go and debug/gosym/pclntab.go of each version. The file is untrusted.
 */
#ifndef LT_REPORT_GO_TABLE_H
#define LT_REPORT_GO_TABLE_H

#include "base/status.h"
#include "report/go_image.h"
#include "report/symbolize.h"
#include "report/symbolize_names.h"

#include <libelf.h>
#include <stddef.h>
#include <stdint.h>

struct lt_go_layout;

struct lt_go_table { /* all zero is an empty one */
    struct lt_go_image image;
    const struct lt_go_layout *layout;
    struct lt_go_bytes bytes;                               /* the table, to the end of its section */
    struct lt_go_bytes names, units, files, pcs, functions; /* its parts, each to the end of the table */
    uint64_t function_count;
    uint64_t text;        /* what addresses of functions count from */
    uint64_t inline_base; /* what a function's inline tree counts from; 0 not known: no inlined calls */
};

/* Reads the table of the ELF file, which must outlive it. Returns 0, with or without a table (function_count 0), or
 * -ENOMEM. */
LT_STATUS lt_go_table_open(struct lt_go_table *table, Elf *elf);
void lt_go_table_close(struct lt_go_table *table);

/* The lines at `vaddr`, innermost inline first, at most `max`; 0 where no Go function is known there. */
size_t lt_go_table_lines(const struct lt_go_table *table, struct lt_symbol_names *names, uint64_t vaddr,
                         struct lt_symbol_line *lines, size_t max);

#endif
