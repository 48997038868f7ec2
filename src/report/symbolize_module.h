/* One module of a dump, seen through the files of this machine. Made when its first address is asked for, kept for the
 * run. */
#ifndef LT_REPORT_SYMBOLIZE_MODULE_H
#define LT_REPORT_SYMBOLIZE_MODULE_H

#include "report/symbolize.h"
#include "report/symbolize_run.h"

#include <stddef.h>
#include <stdint.h>

struct lt_symbol_module;

/* Finds and opens the file of the module asked for; warns where that fails. `asked` may be NULL. Returns NULL where
 * memory ran out.
 */
struct lt_symbol_module *lt_symbol_module_new(struct lt_symbol_run *run, const struct lt_dump_module *asked);
void lt_symbol_module_free(struct lt_symbol_module *module);

/* Whether it stands for `other`: same build-id and path; size and time too where there is no build-id. */
bool lt_symbol_module_is(const struct lt_symbol_module *module, const struct lt_dump_module *other);

enum lt_symbol_source lt_symbol_module_source(const struct lt_symbol_module *module);

/* The lines of the code before return address `offset`, kept for the module's life; *count >= 1. */
const struct lt_symbol_line *lt_symbol_module_lines(struct lt_symbol_module *module, uint64_t offset, size_t *count);

/* Says what was found out while resolving: missing .dwo files. Call after a batch; each thing is said once. */
void lt_symbol_module_finish(struct lt_symbol_module *module);

#endif
