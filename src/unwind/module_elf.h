/* What the program headers of a mapped ELF object say. Reads the mapping itself, never the file. */
#ifndef LT_UNWIND_MODULE_ELF_H
#define LT_UNWIND_MODULE_ELF_H

#include "unwind/modules.h"

#include <link.h>
#include <stdbool.h>
#include <stdint.h>

/* The program headers of one object, where they are mapped. */
struct lt_headers {
    const ElfW(Phdr) * at;
    uint32_t count;
    uintptr_t bias;
};

/* Finds them from the ELF header at `header`, whose page must be readable. False where there is no such header, or the
 * program headers are not in its page. */
bool lt_headers_find(uintptr_t header, struct lt_headers *);

/* Equal hashes mean equal segments. */
uint64_t lt_headers_hash(const struct lt_headers *);

/* Fills start, end, bias, segments, build_id, eh_frame_hdr and headers of a zeroed *module. */
void lt_headers_read(const struct lt_headers *, struct lt_module *module);

#endif
