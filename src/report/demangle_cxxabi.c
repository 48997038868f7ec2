/* Demangling where libiberty was not there at build time: the C++ run-time library's own __cxa_demangle, looked for
 * when the first mangled name comes. It knows C++ only; other names stay as they are. */
#include "report/demangle.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

typedef char *demangle_fn(const char *name, char *buffer, size_t *size, int *status);

static demangle_fn *find_demangler(void) {
    static demangle_fn *found;
    static bool asked;
    if (!asked) {
        asked = true;
        void *library = dlopen("libstdc++.so.6", RTLD_NOW | RTLD_LOCAL);
        if (!library)
            library = dlopen("libc++abi.so.1", RTLD_NOW | RTLD_LOCAL);
        if (library)
            *(void **)&found = dlsym(library, "__cxa_demangle");
    }
    return found;
}

char *lt_demangle(const char *name) {
    if (strncmp(name, "_Z", 2) != 0 || strnlen(name, LT_DEMANGLE_MAX + 1) > LT_DEMANGLE_MAX)
        return NULL;
    demangle_fn *demangle = find_demangler();
    int status = 0;
    return demangle ? demangle(name, NULL, NULL, &status) : NULL;
}
