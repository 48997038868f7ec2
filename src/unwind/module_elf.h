/* What the program headers of a mapped ELF object say. Reads the mapping itself, never the file. */
#ifndef LT_UNWIND_MODULE_ELF_H
#define LT_UNWIND_MODULE_ELF_H

#include "unwind/modules.h"

#include <stdbool.h>
#include <stdint.h>

/* A hash of the program headers of the ELF object whose header is mapped at `header` (a readable page), 0 where there
 * is no such header. Equal hashes mean equal segments. */
uint64_t lt_module_hash_headers(uintptr_t header);

/* Fills start, end, bias, segments, build_id, eh_frame_hdr and headers_hash of *module from the ELF header mapped at
 * `header`, whose page must be readable. False, and *module is undefined, where there is no such header or its program
 * headers don't lie in the same page. */
bool lt_module_read_elf(uintptr_t header, struct lt_module *module);

#endif
