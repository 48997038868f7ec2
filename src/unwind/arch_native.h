/* Picks the file of the architecture; the only place of this room that asks which one it is. */
#ifndef LT_UNWIND_ARCH_NATIVE_H
#define LT_UNWIND_ARCH_NATIVE_H

#ifdef __x86_64__
#include "unwind/arch_x86_64.h"
#else
#error "leaktrack's native unwinder has no rules for this architecture yet: see src/unwind/arch_x86_64.h"
#endif

#endif
