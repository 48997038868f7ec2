/* Mappings outside the arena: scratch memory of a snapshot, the control page. Whole pages, zeroed, never through the
 * program's mmap hook. */
#ifndef LT_OS_MEMORY_H
#define LT_OS_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LT_PAGE = 4096, LT_HUGE_PAGE = 2 << 20 };

/* A private anonymous mapping of at least `size` bytes, or NULL. Freed by lt_pages_free with the same size. */
void *lt_pages_new(size_t size);
void lt_pages_free(void *, size_t size);

/* The same, but every fork child (by whatever call) finds the pages zeroed again: what was written there tells a
 * child's copy of the memory from the memory itself, which a vfork child shares. NULL where the kernel can't
 * (before 4.14). */
void *lt_pages_wiped_on_fork(size_t size);

/* Grows (or moves) a mapping of lt_pages_new; NULL leaves the old one as it was. */
void *lt_pages_resize(void *, size_t old_size, size_t new_size);

/* Asks the kernel to back it with huge pages, where it has room for some: for tables that are in use all over, where
 * every access would be a miss of the TLB. */
void lt_pages_want_huge(void *, size_t size);

/* Keeps the kernel from backing a large mapping with huge pages, where little of it will be touched. */
void lt_pages_keep_small(void *, size_t size);

/* What the functions above have mapped and not freed, so that a snapshot can tell it from the program's: the first
 * range at or after number *i, and its number put into *i; false after the last. To go on: ++*i. Past a thousand ranges
 * some are missing. Any thread; what comes and goes meanwhile is seen or not. */
bool lt_pages_next(unsigned *i, uintptr_t *start, uintptr_t *end);

/* Whether the kernel can read 8 bytes at `address`, asked without a fault and without a descriptor: by a signal mask to
 * be read from there, for an operation that does not exist (the way abseil-cpp's AddressIsReadable found). One system
 * call. */
bool lt_memory_readable(uintptr_t address);

#endif
