/* The functions our hooks hide: the next definitions in search order (RTLD_NEXT), resolved together, once and early. Until
 * then, and only where libc itself is the provider, __libc_malloc and its family serve the loader's first calls. */
#ifndef LT_PRELOAD_REAL_H
#define LT_PRELOAD_REAL_H

#include <stdbool.h>

/* hooks.def lists every hooked function: LT_HOOK(result, name, (parameters), group, optional). `lt_real.name` is the real
 * one, NULL where the C library has none (an optional hook then behaves as its header comment says). */
struct lt_real {
#define LT_HOOK(result, name, parameters, group, optional) result(*name) parameters;
#include "preload/hooks.def"
#undef LT_HOOK
};
extern struct lt_real lt_real;

/* Resolves everything. False where heap hooks can't be trusted; *reason then says why in one line (the heap family comes
 * from several objects; the executable brings its own malloc; a sanitizer's runtime is there). */
bool lt_real_resolve(const char **reason);

#endif
