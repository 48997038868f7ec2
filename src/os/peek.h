/* This process's own memory, read through the kernel: what is not mapped any more is no fault, and what is not in
 * memory (never touched, swapped out, waiting for a userfaultfd) is not brought there. */
#ifndef LT_OS_PEEK_H
#define LT_OS_PEEK_H

#include "base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct lt_peek {
    int memory, pages; /* /proc/thread-self/mem and pagemap */
};

/* Opens both. 0, or a negative errno: nothing can be read then, and there is nothing to close. */
LT_STATUS lt_peek_open(struct lt_peek *);
void lt_peek_close(struct lt_peek *);

/* Copies the `size` bytes at `address`, which lie in one page. false where they are not in memory. */
bool lt_peek_read(const struct lt_peek *, uintptr_t address, void *to, size_t size);

/* Whether a thread's descriptor (what pthread_t points to) stands at `handle`. One that glibc keeps for the next thread
 * still does. */
bool lt_peek_is_thread(const struct lt_peek *, uint64_t handle);

#endif
