/* What a CPU architecture must supply to this room; one file each. */
#ifndef LT_OS_ARCH_H
#define LT_OS_ARCH_H

#if defined(__x86_64__)
#include "os/arch_x86_64.h"
#else
#error "leaktrack: this architecture needs a file src/os/arch_NAME.h; arch_x86_64.h shows what is in it"
#endif

#endif
