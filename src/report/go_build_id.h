/* Go's own build id, which a Go program has also where the linker made no GNU build-id: all that Go's linker links by
 * itself, before Go 1.24. In a dump it stands in the place of that, behind LT_GO_BUILD_ID_PREFIX. */
#ifndef LT_REPORT_GO_BUILD_ID_H
#define LT_REPORT_GO_BUILD_ID_H

#include "dump/reader.h"

#include <libelf.h>
#include <stdbool.h>

/* Whether the file has that build id. The module has one. */
bool lt_go_build_id_is(Elf *elf, const struct lt_dump_module *module);

#endif
