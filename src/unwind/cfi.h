/* Compiles unwind information (.eh_frame) to rules. Pure: looks at nothing but the bytes it is given and keeps no
 * state, so that it can be tested and fuzzed on any bytes.
 *
 * Every read lies inside the readable segments of the image. Truncated, hostile or unsupported information gives the
 * class NONE, never a fault and never a loop that is longer than the information itself.
 *
 * Sources: Linux Standard Base 5.0 core, "Exception Frames" (.eh_frame, .eh_frame_hdr, pointer encodings); DWARF 5 §6.4
 * (call frame instructions) and §2.5 (expressions). */
#ifndef LT_UNWIND_CFI_H
#define LT_UNWIND_CFI_H

#include "unwind/modules.h"
#include "unwind/rule.h"

#include <stdbool.h>
#include <stdint.h>

/* A mapped ELF object: where its .eh_frame_hdr is, and which of its bytes may be read. */
struct lt_cfi_image {
    uintptr_t eh_frame_hdr;
    uintptr_t bias; /* a segment is mapped at bias + segment.vaddr */
    const struct lt_segment *segments;
    uint32_t segment_count;
};

/* The rule at `ip`: a return address, or, where `interrupted`, the very instruction at which a signal arrived. (A
 * return address points behind its call, perhaps into the next row or the next function: its row is the one of ip - 1.)
 * False where no entry of the table covers `ip`: code without unwind information; *rule is then NONE. */
bool lt_cfi_compile(const struct lt_cfi_image *, uintptr_t ip, bool interrupted, struct lt_rule *rule);

#endif
