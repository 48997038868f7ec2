/* The resource kinds: what the kernel, or the allocator, says the thing is. The numbers are part of the dump format and
 * never change their meaning. */
#ifndef LT_BASE_KIND_H
#define LT_BASE_KIND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* X(NAME, number, word) */
#define LT_KINDS(X)                                                                                                    \
    X(HEAP, 1, "heap")                                                                                                 \
    X(MAPPING, 2, "mapping")                                                                                           \
    X(FILE, 3, "file")                                                                                                 \
    X(DIRECTORY, 4, "directory")                                                                                       \
    X(SOCKET, 5, "socket")                                                                                             \
    X(PIPE, 6, "pipe")                                                                                                 \
    X(EVENT, 7, "event")                                                                                               \
    X(STREAM, 8, "stream")                                                                                             \
    X(THREAD, 9, "thread")                                                                                             \
    X(TIMER, 10, "timer")

enum lt_kind {
#define X(name, number, word) LT_KIND_##name = (number),
    LT_KINDS(X)
#undef X
        LT_KIND_END = 11, /* one above the last; an array indexed by kind has this many elements */
};

/* The kind's word, or "unknown" for a number outside the list. A static string. */
const char *lt_kind_name(unsigned kind);

/* Finds the kind whose word is the `length` bytes at `word`; returns 0 where there is none. */
unsigned lt_kind_from_name(const char *word, size_t length);

#define LT_KIND_BIT(kind) (UINT32_C(1) << (kind))

/* The kinds that have a row per open descriptor; `stream` alone is for those without one. */
#define LT_DESCRIPTOR_KINDS                                                                                            \
    (LT_KIND_BIT(LT_KIND_FILE) | LT_KIND_BIT(LT_KIND_DIRECTORY) | LT_KIND_BIT(LT_KIND_SOCKET) |                        \
     LT_KIND_BIT(LT_KIND_PIPE) | LT_KIND_BIT(LT_KIND_EVENT) | LT_KIND_BIT(LT_KIND_STREAM))

/* The bits of the `length` bytes at `word`: a kind's word, or "descriptors"; 0 where there is no such word. */
uint32_t lt_kinds_from_word(const char *word, size_t length);

#endif
