/* The symbolizer's strings: each kept once, so that equal names are equal pointers, and each mangled name demangled
 * once. */
#ifndef LT_REPORT_SYMBOLIZE_NAMES_H
#define LT_REPORT_SYMBOLIZE_NAMES_H

#include <stdbool.h>

/* Longer names are cut: they come from files that may be made to hurt. */
enum { LT_NAME_MAX = 64 * 1024 };

struct lt_symbol_name;

struct lt_symbol_names { /* all zero is an empty one */
    struct lt_symbol_name *texts, *mangled;
    bool out_of_memory; /* set, and never cleared, when a name could not be kept */
};

/* The kept copy of `text`, valid until lt_symbol_names_free. NULL for NULL, "" and where memory ran out. */
const char *lt_symbol_names_keep(struct lt_symbol_names *names, const char *text);

/* The same for the readable form of a linker's symbol name. */
const char *lt_symbol_names_keep_symbol(struct lt_symbol_names *names, const char *symbol);

void lt_symbol_names_free(struct lt_symbol_names *names);

#endif
