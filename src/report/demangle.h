/* Names that compilers mangled, made readable again: C++, Rust (v0 and legacy) and D. Names are untrusted input: longer
 * ones than LT_DEMANGLE_MAX stay as they are, and the demangler's own recursion limit stays on. */
#ifndef LT_REPORT_DEMANGLE_H
#define LT_REPORT_DEMANGLE_H

enum { LT_DEMANGLE_MAX = 64 * 1024 };

/* Returns the readable form of `name`, to be freed by the caller; NULL where it is not mangled, is too long, or memory
 * ran out: then `name` itself is the best there is. */
char *lt_demangle(const char *name);

#endif
