/* Demangling by libiberty, the demangler of binutils and gdb, for C++ and both manglings of Rust; a second one for D,
 * which its automatic mode does not know.
 *
 * A few hundred bytes of mangled name can stand for gigabytes of readable one (a substitution may name another, twice,
 * and so on). libiberty writes through a callback but lets it not stop the writing, so the callback leaves by longjmp;
 * that is safe because on this path libiberty holds no heap memory, only stack. */
#include "report/demangle.h"

#include <demangle.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

struct sink {
    char *text;
    size_t length, capacity;
    jmp_buf full;
};

static void write_to_sink(const char *text, size_t length, void *data) {
    struct sink *sink = data;
    if (length > LT_DEMANGLE_MAX - sink->length)
        longjmp(sink->full, 1);
    if (sink->length + length >= sink->capacity) {
        size_t capacity = 2 * (sink->length + length) + 64;
        char *grown = realloc(sink->text, capacity);
        if (!grown)
            longjmp(sink->full, 1);
        sink->text = grown;
        sink->capacity = capacity;
    }
    memcpy(sink->text + sink->length, text, length);
    sink->length += length;
    sink->text[sink->length] = '\0';
}

typedef int demangle_fn(const char *name, int options, demangle_callbackref callback, void *data);

static char *demangle_by(demangle_fn *demangle, const char *name) {
    struct sink *sink = calloc(1, sizeof *sink);
    char *text = NULL;
    if (!sink)
        return NULL;
    if (setjmp(sink->full) == 0 && demangle(name, DMGL_PARAMS | DMGL_ANSI, write_to_sink, sink) && sink->length > 0)
        text = sink->text;
    else
        free(sink->text);
    free(sink);
    return text;
}

/* D's demangler builds its text on the heap, so it can't be left half-way. What doubles there is a back reference, "Q".
 */
static char *demangle_d(const char *name) {
    size_t references = 0;
    for (const char *at = name; (at = strchr(at, 'Q')) != NULL; at++)
        references++;
    return references <= 16 ? cplus_demangle(name, DMGL_PARAMS | DMGL_ANSI | DMGL_DLANG) : NULL;
}

char *lt_demangle(const char *name) {
    if (name[0] != '_' || strnlen(name, LT_DEMANGLE_MAX + 1) > LT_DEMANGLE_MAX)
        return NULL;
    if (strncmp(name, "_D", 2) == 0)
        return demangle_d(name);
    char *readable = demangle_by(rust_demangle_callback, name);
    return readable ? readable : demangle_by(cplus_demangle_v3_callback, name);
}
