/* leaktrack.h: what a program may say to libleaktrack.so, and the names both share.
 *
 * A program needs none of this to be tracked. Every function below is a weak symbol: link nothing, test the address,
 *
 *     if (leaktrack_dump)
 *         leaktrack_dump(0);
 *
 * and the call vanishes where the library is not preloaded. The header is plain C99, C11 and C++.
 *
 * SPDX-License-Identifier: MIT */
#ifndef LEAKTRACK_H
#define LEAKTRACK_H

#include <stddef.h>
#include <stdint.h>

#define LEAKTRACK_VERSION_MAJOR 0
#define LEAKTRACK_VERSION_MINOR 1
#define LEAKTRACK_VERSION_PATCH 0
#define LEAKTRACK_VERSION       "0.1.0"

/* Environment variables of the library; their meaning is in leaktrack(7). */
#define LEAKTRACK_ENV_OUTPUT   "LEAKTRACK_OUTPUT"
#define LEAKTRACK_ENV_INTERVAL "LEAKTRACK_INTERVAL"
#define LEAKTRACK_ENV_KINDS    "LEAKTRACK_KINDS"
#define LEAKTRACK_ENV_SAMPLE   "LEAKTRACK_SAMPLE"
#define LEAKTRACK_ENV_DEPTH    "LEAKTRACK_DEPTH"
#define LEAKTRACK_ENV_BLOCKS   "LEAKTRACK_BLOCKS"
#define LEAKTRACK_ENV_DUMPER   "LEAKTRACK_DUMPER"
#define LEAKTRACK_ENV_UNWINDER "LEAKTRACK_UNWINDER"
#define LEAKTRACK_ENV_CHILDREN "LEAKTRACK_CHILDREN"
#define LEAKTRACK_ENV_AFTER    "LEAKTRACK_AFTER"
#define LEAKTRACK_ENV_MAX_DUMP "LEAKTRACK_MAX_DUMP"
#define LEAKTRACK_ENV_LOG      "LEAKTRACK_LOG"

/* Exit codes of leaktrack-report, and of leaktrack-smoke where the program itself exited with 0. */
#define LEAKTRACK_EXIT_OK         0 /* nothing condemned */
#define LEAKTRACK_EXIT_BREACHED   1 /* a policy was breached */
#define LEAKTRACK_EXIT_USAGE      2 /* wrong usage */
#define LEAKTRACK_EXIT_UNREADABLE 3 /* no dump could be read */
#define LEAKTRACK_EXIT_INCOMPLETE 4 /* the dump is incomplete; what could be read was reported */

/* How the functions are declared; only the library itself, which defines them, says anything else. */
#ifndef LEAKTRACK_API
#define LEAKTRACK_API __attribute__((weak))
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* What a program can hold; the numbers are those of the dump format. */
enum leaktrack_kind {
    LEAKTRACK_HEAP = 1, /* a block of memory */
    LEAKTRACK_MAPPING = 2,
    LEAKTRACK_FILE = 3, /* this and the next four: a descriptor */
    LEAKTRACK_DIRECTORY = 4,
    LEAKTRACK_SOCKET = 5,
    LEAKTRACK_PIPE = 6,
    LEAKTRACK_EVENT = 7,  /* epoll, eventfd, timerfd, inotify ... */
    LEAKTRACK_STREAM = 8, /* a FILE without a descriptor */
    LEAKTRACK_THREAD = 9,
    LEAKTRACK_TIMER = 10
};

/* The version of the preloaded library, a static string such as "0.1.0". Any thread, any time, signal handlers too. */
LEAKTRACK_API const char *leaktrack_version(void);

/* Writes a snapshot now, from the calling thread, and returns when it is in the file.
 *   flags  must be 0
 * Returns 0, or a negative errno: -EBUSY when another thread is writing one, -EAGAIN where tracking is off, or what the
 * file system said (-ENOSPC, -EACCES, ...). Never touches errno. Any thread; not from a signal handler. */
LEAKTRACK_API int leaktrack_dump(unsigned flags);

/* Stops, and resumes, the recording of acquisitions by the calling thread; releases are always recorded. Calls nest.
 * What is acquired in between is counted as untracked ("paused"). */
LEAKTRACK_API void leaktrack_pause(void);
LEAKTRACK_API void leaktrack_resume(void);

/* For custom pools: says that the program handed out (took back) `size` bytes at `handle`, an address inside memory it
 * owns and that no other live block starts at. The recorded call stack is the caller's. `kind` is LEAKTRACK_HEAP: all
 * others are known by themselves. Any thread. */
LEAKTRACK_API void leaktrack_acquire(enum leaktrack_kind kind, const void *handle, size_t size);
LEAKTRACK_API void leaktrack_release(enum leaktrack_kind kind, const void *handle);

/* Takes a live block out of all reports: a leak on purpose. Its later release is harmless. Any thread. */
LEAKTRACK_API void leaktrack_ignore(enum leaktrack_kind kind, const void *handle);

/* How many blocks of a kind are live now, in the eyes of the library; -1 where that kind is not tracked. For tests: it
 * sums over the threads and is exact only at a standstill; with LEAKTRACK_SAMPLE it is an estimate for heap. */
LEAKTRACK_API int64_t leaktrack_live_count(enum leaktrack_kind kind);

#ifdef __cplusplus
}
#endif

#endif
