/* An unwinder that the test drives: the next capture of the calling thread gives the stack that the test has set. It
 * keeps the contract of unwind/unwind.h, notes included. */
#ifndef LT_TESTS_TRACK_FAKE_UNWIND_H
#define LT_TESTS_TRACK_FAKE_UNWIND_H

#include "unwind/unwind.h"

#include <stdbool.h>
#include <stdint.h>

/* The calling thread's next stack: frames outermost first. */
void fake_stack(const uintptr_t *frames, uint32_t depth, uint32_t flags);

/* Every address belongs to module address >> 20 (FAKE_MODULES of them, loaded at n << 20), the rest to none; from epoch
 * `epoch` on module `id` is gone. */
enum { FAKE_MODULES = 8 };
void fake_unload(uint32_t id, uint32_t epoch);

#endif
