/* Function names from the symbol table (or the dynamic one, or MiniDebugInfo): for code that has no DWARF. */
#ifndef LT_REPORT_SYMBOLIZE_SYMTAB_H
#define LT_REPORT_SYMBOLIZE_SYMTAB_H

#include "base/status.h"
#include "report/symbolize_ranges.h"

#include <elfutils/libdwfl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct lt_symtab_entry {
    uint64_t start, end;
    const char *name; /* as the linker knows it, mangled; lives as long as the Dwfl */
    bool unsized;     /* `end` is that of its section or where the next symbol begins */
    uint8_t rank;     /* which of several names at one address is the better one: the lowest */
};

struct lt_symtab { /* all zero is an empty one */
    struct lt_symtab_entry *entries;
    size_t count, capacity;
    struct lt_ranges ranges;
};

/* Reads the symbols of `module` whose code lies inside `code`, its executable segments, as addresses of the file
 * (Dwfl's minus `bias`). May ask for separate debug files as dwfl_module_getsymtab does. Returns 0, with or without
 * symbols, or -ENOMEM. */
LT_STATUS lt_symtab_read(struct lt_symtab *symtab, Dwfl_Module *module, uint64_t bias, const struct lt_ranges *code);

/* The symbol that holds `vaddr`, or NULL. */
const struct lt_symtab_entry *lt_symtab_find(const struct lt_symtab *symtab, uint64_t vaddr);

void lt_symtab_free(struct lt_symtab *symtab);

#endif
