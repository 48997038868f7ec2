/* The one 16-byte load that the live-block index needs: both words of an entry as of one moment. An architecture's file
 * supplies lt_arch_load16 (the fast way), lt_arch_load16_is_atomic (may this CPU use it), lt_arch_load16_locked (the
 * way that always works, in writable memory). */
#ifndef LT_OS_ATOMIC16_H
#define LT_OS_ATOMIC16_H

#include "base/attrs.h"
#include "os/arch.h"

#include <stdbool.h>
#include <stdint.h>

struct lt_pair {
    uint64_t first, second;
};

/* True once the CPU was asked and its plain load is atomic. */
extern bool lt_load16_is_plain;

/* Asks the CPU, once; before it, and where the answer is no, lt_load16 takes the slow way and is right too. */
void lt_load16_init(void);

/* The 16 bytes at `address` (aligned to 16, writable), single-copy atomic, with acquire order. */
static LT_ALWAYS_INLINE struct lt_pair lt_load16(const void *address) {
    uint64_t words[2];
    if (lt_likely(lt_load16_is_plain))
        lt_arch_load16(address, words);
    else
        lt_arch_load16_locked(address, words);
    return (struct lt_pair){words[0], words[1]};
}

#endif
