/* One question to a fresh symbolizer, and all that it said about it. */
#ifndef LT_TESTS_SYMBOLIZE_ASKED_H
#define LT_TESTS_SYMBOLIZE_ASKED_H

#include "report/symbolize.h"

#include <stddef.h>
#include <stdint.h>

struct asked {
    struct lt_symbolizer *symbolizer;
    const struct lt_symbol_line *lines;
    size_t line_count;
    enum lt_symbol_source source;
    char warnings[4096]; /* one per line */
    size_t warning_count;
};

/* Asks for the code at `vaddr`, as if a call stood there. `options` may be NULL; warn and user are replaced. `asked`
 * must not move until asked_free. */
void ask(struct asked *asked, const struct lt_dump_module *module, uint64_t vaddr,
         const struct lt_symbolizer_options *options);
void asked_free(struct asked *asked);

/* Asks and frees: the innermost line's function must be `function`, and nothing may be warned about. */
void assert_function(const struct lt_dump_module *module, uint64_t vaddr, const struct lt_symbolizer_options *options,
                     const char *function, enum lt_symbol_source source);

/* Asks and frees: nothing must be known, and there must be exactly one warning, which holds `words` and the module's
 * path. */
void assert_refused(const struct lt_dump_module *module, const struct lt_symbolizer_options *options, const char *words,
                    enum lt_symbol_source source);

#endif
