/* Code that belongs to no module: the executable mappings of JIT compilers, and what is merely mistaken for code.
 *
 * Asking the kernel costs as much as thousands of captures, so the last few mappings are remembered. */
#ifndef LT_UNWIND_CODE_RANGES_H
#define LT_UNWIND_CODE_RANGES_H

#include "unwind/stack_bounds.h"

#include <stdbool.h>
#include <stdint.h>

/* Whether the mapping that holds `address` is executable. False where there is none, and without /proc. */
bool lt_code_ranges_hold(uintptr_t address, struct lt_scratch *);

/* [start, end) is about to be unmapped, protected or mapped over. */
void lt_code_ranges_gone(uintptr_t start, uintptr_t end);

#endif
