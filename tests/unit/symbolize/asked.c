/* See asked.h. */
#include "unit/symbolize/asked.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void note_warning(void *user, const char *line) {
    struct asked *asked = user;
    size_t length = strlen(asked->warnings);
    assert_null(strchr(line, '\n'));
    snprintf(asked->warnings + length, sizeof asked->warnings - length, "%s\n", line);
    asked->warning_count++;
}

void ask(struct asked *asked, const struct lt_dump_module *module, uint64_t vaddr,
         const struct lt_symbolizer_options *options) {
    *asked = (struct asked){0};
    struct lt_symbolizer_options used = {0};
    if (options)
        used = *options;
    used.warn = note_warning;
    used.user = asked;
    asked->symbolizer = lt_symbolizer_new(&used);
    assert_non_null(asked->symbolizer);
    struct lt_symbol_query queries[2] = {{.module = module, .offset = vaddr + 1},
                                         {.module = module, .offset = vaddr + 1}};
    assert_int_equal(lt_symbolizer_resolve(asked->symbolizer, queries, 2), 0);
    assert_int_equal(lt_symbolizer_resolve(asked->symbolizer, queries, 1), 0);
    assert_ptr_equal(queries[0].lines, queries[1].lines);
    assert_true(queries[0].line_count >= 1);
    asked->lines = queries[0].lines;
    asked->line_count = queries[0].line_count;
    asked->source = lt_symbolizer_source(asked->symbolizer, module);
}

void asked_free(struct asked *asked) {
    lt_symbolizer_free(asked->symbolizer);
}

void assert_function(const struct lt_dump_module *module, uint64_t vaddr, const struct lt_symbolizer_options *options,
                     const char *function, enum lt_symbol_source source) {
    struct asked asked;
    ask(&asked, module, vaddr, options);
    assert_string_equal(asked.warnings, "");
    assert_int_equal(asked.source, source);
    assert_non_null(asked.lines[0].function);
    assert_string_equal(asked.lines[0].function, function);
    assert_int_equal(asked.lines[0].line != 0, source == LT_SYMBOLS_DEBUG_INFO);
    asked_free(&asked);
}

void assert_refused(const struct lt_dump_module *module, const struct lt_symbolizer_options *options, const char *words,
                    enum lt_symbol_source source) {
    struct asked asked;
    ask(&asked, module, 0x1000, options);
    assert_int_equal(asked.warning_count, 1);
    if (!strstr(asked.warnings, words) || !strstr(asked.warnings, module->path))
        fail_msg("expected \"%s\" for %s, got: %s", words, module->path, asked.warnings);
    assert_int_equal(asked.source, source);
    assert_int_equal(asked.line_count, 1);
    assert_null(asked.lines[0].function);
    assert_null(asked.lines[0].file);
    assert_false(asked.lines[0].inlined);
    asked_free(&asked);
}
