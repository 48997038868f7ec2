/* The functions our hooks hide: the next definitions in search order, what dlsym(RTLD_NEXT) would give. They are found
 * by reading the loader's own list and symbol tables (scope.h), which needs no lock, no memory and no initialised libc.
 * Therefore the very first malloc, which comes from the loader before libc's own start, is already served by the
 * function that would have served it without us, and no block ever comes from a provisional allocator. */
#ifndef LT_PRELOAD_REAL_H
#define LT_PRELOAD_REAL_H

#include "base/attrs.h"

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/types.h>

struct file_handle;
struct mmsghdr;
struct msghdr;
struct rlimit;
struct rlimit64;
struct sigevent;
struct sockaddr;
struct termios;
struct timespec;
struct winsize;
struct __dirstream; /* DIR */

/* `lt_real.name` is the function that the hook `name` hides; NULL before lt_real_resolve, and after it where the
 * process has none (the hook of an `optional` one says what it does then). */
struct lt_real {
#define LT_HOOK(result, name, parameters, group, optional) result(*name) parameters;
#include "preload/hooks.def"
#undef LT_HOOK
};
extern struct lt_real lt_real;

/* Finds all of them. Idempotent, any thread, any time after the loader has relocated this library, errno untouched. */
void lt_real_resolve(void);

/* The real function, resolved if this is the first call of all. */
#define LT_REAL(name) (lt_unlikely(!lt_real.name) ? (lt_real_resolve(), lt_real.name) : lt_real.name)

/* The same where `name` is glibc's other name for `plain`. */
#define LT_REAL_OR(name, plain) (LT_REAL(name) ? LT_REAL(name) : LT_REAL(plain))

/* What the program calls free: the real one, or that of an object in front of us which brings its own heap. For
 * functions that only we define, where the program's C library lacks them: their blocks are of that heap. */
void lt_real_free_of_program(void *block);

/* Why heap hooks can't be trusted in this process, or NULL: a sanitizer's runtime is there (then *everything_off is
 * set), an object in front of us brings its own malloc, the heap family comes from several objects. `*culprit` is the
 * path of the object that is to blame, or NULL. A static string for people. */
const char *lt_real_heap_objection(const char **culprit, bool *everything_off);

/* The path of a heap library that serves C++'s operator new itself, without a malloc that we could see (jemalloc,
 * tcmalloc), in a process that has a C++ library; or NULL. */
const char *lt_real_unseen_new(void);

#endif
