/* Demangling by libiberty, the demangler of binutils and gdb: one call for C++ and Rust, a second one for D, which the
 * automatic mode does not know. */
#include "report/demangle.h"

#include <demangle.h>
#include <string.h>

char *lt_demangle(const char *name) {
    if (name[0] != '_' || strnlen(name, LT_DEMANGLE_MAX + 1) > LT_DEMANGLE_MAX)
        return NULL;
    int style = strncmp(name, "_D", 2) == 0 ? DMGL_DLANG : DMGL_AUTO;
    return cplus_demangle(name, DMGL_PARAMS | DMGL_ANSI | style);
}
