/* From (module, address) to function, file and line: the room between a dump, which holds numbers, and a report, which
 * holds names. docs/design/symbolization.md says how it works and what it was measured against.
 *
 * One symbolizer serves one run of the program and all its dumps. It never prints: what a person should know goes to
 * the `warn` callback, one line each. Names are bytes of untrusted files: they are NUL-terminated and bounded in
 * length, but may hold control characters or invalid UTF-8; whoever prints escapes them. Not thread-safe: one thread
 * per symbolizer. */
#ifndef LT_REPORT_SYMBOLIZE_H
#define LT_REPORT_SYMBOLIZE_H

#include "base/status.h"
#include "dump/reader.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How far a resolve is. `module` is the label of the module at work (see lt_symbol_module_label). The last two are
 * bytes of its debug information that came from a debuginfod server so far and their known total; both 0 while nothing
 * is being fetched, and the total is 0 where the server does not tell it. */
struct lt_symbolizer_progress {
    size_t done, total; /* queries of this batch */
    const char *module;
    uint64_t fetched_bytes, fetch_total_bytes;
};

/* All zero is a valid set of options. Strings must live until lt_symbolizer_new returns; `user` until the free. */
struct lt_symbolizer_options {
    const char *symfs; /* a root directory that mirrors the dumped machine's files, searched first; NULL none */
    const char *const
        *debug_dirs; /* searched like /usr/lib/debug and before it: DIR/.build-id/ab/cdef.debug, DIR/usr/bin */
    size_t debug_dir_count;
    bool no_inlines;    /* one line per address: the last of all, the function that owns the code */
    bool no_debuginfod; /* never ask a debuginfod server. Without it one is asked where DEBUGINFOD_URLS is set. With it
                         * lt_symbolizer_new removes DEBUGINFOD_URLS from this process's environment: libdw reads it. */
    /* One finished line without a newline ("module /usr/bin/a: ..."), valid during the call. At most a handful of lines
     * per module, each of them once in the symbolizer's life. NULL: nobody listens. */
    void (*warn)(void *user, const char *line);
    /* Called between addresses (at most every few milliseconds of work) and while debug information is being fetched.
     * NULL: nobody listens. */
    void (*progress)(void *user, const struct lt_symbolizer_progress *progress);
    void *user;
};

struct lt_symbolizer;

/* One line of source at an address. Equal strings are the same pointer (interned) and live as long as the symbolizer.
 */
struct lt_symbol_line {
    const char *function; /* demangled, with scopes; NULL: not known */
    const char *file;     /* as the compiler was told, made absolute where its directory is known; NULL: not known */
    unsigned line;        /* 0: not known */
    unsigned column;      /* 1-based; 0: not known */
    bool inlined;         /* this function was inlined into the function of the next line; false for the last line */
};

struct lt_symbol_query {
    const struct lt_dump_module *module; /* in: NULL, or a module without a path: anonymous code */
    uint64_t offset; /* in: return address minus load bias, as in struct lt_dump_node; the code looked
                      * up is that at offset - 1, which belongs to the call */
    const struct lt_symbol_line *lines; /* out: innermost inline first; lives as long as the symbolizer */
    size_t line_count;                  /* out: >= 1; one line of NULLs where nothing is known (print module+offset) */
};

/* Returns NULL where memory ran out. */
struct lt_symbolizer *lt_symbolizer_new(const struct lt_symbolizer_options *options);
void lt_symbolizer_free(struct lt_symbolizer *symbolizer); /* NULL is fine */

/* Fills in the `out` half of `count` queries. They may be in any order and hold duplicates; each distinct (module,
 * offset) is resolved once in the symbolizer's life, module after module in ascending order, so hand over as many as
 * you have at once. Modules are told apart by path and build-id (and by size and time where there is none), not by
 * pointer: those of two dumps of one program meet here. A file that is missing, foreign or damaged is no error: it is
 * warned about and its frames have no names. Returns 0 or -ENOMEM, after which every query has an answer, some of them
 * empty. */
LT_STATUS lt_symbolizer_resolve(struct lt_symbolizer *symbolizer, struct lt_symbol_query *queries, size_t count);

/* What a module's names come from, once addresses of it have been resolved. */
enum lt_symbol_source {
    LT_SYMBOLS_UNASKED,      /* no address of it has been resolved */
    LT_SYMBOLS_NO_FILE,      /* its file was not found, or is not readable as ELF */
    LT_SYMBOLS_OTHER_FILE,   /* the file found is another build of it, and was not used */
    LT_SYMBOLS_NONE,         /* the file has neither debug information nor a symbol table; also [vdso] and the like */
    LT_SYMBOLS_SYMBOL_TABLE, /* function names, but no files, lines or inlines: debug information is missing */
    LT_SYMBOLS_GO_TABLE,     /* of its Go code functions, files and lines (.gopclntab); of other code symbols at most */
    LT_SYMBOLS_DEBUG_INFO,   /* DWARF, in the file or beside it */
};
enum lt_symbol_source lt_symbolizer_source(const struct lt_symbolizer *symbolizer, const struct lt_dump_module *module);

/* The word for a module in front of "+offset": its path; "[vdso]" for the kernel's page of code; "[anonymous code]" for
 * NULL or a module without path (JIT). Lives as long as the module. */
const char *lt_symbol_module_label(const struct lt_dump_module *module);

#endif
