/* LEAKTRACK_UNWINDER=libunwind: the library by that name, loaded into a scope of its own. A plain dependency on it
 * would put its 36 _Unwind_* functions in front of libgcc's for the whole program. Its hazards are listed in
 * docs/limits.md. */
#ifndef LT_PRELOAD_LIBUNWIND_H
#define LT_PRELOAD_LIBUNWIND_H

/* libunwind's unw_backtrace, or NULL (the log says why). From a constructor: it needs a working libc, and what it
 * allocates is to be the library's own work (lt_tls.own). */
int (*lt_libunwind_load(void))(void **frames, int max);

#endif
