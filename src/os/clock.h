/* Clocks. The tracker's unit of time is the centisecond since the library started ("birth" of a block): 32 bits of it
 * last 497 days, after which births saturate. */
#ifndef LT_OS_CLOCK_H
#define LT_OS_CLOCK_H

#include <stdint.h>

/* Fixes the start of time; called once. */
void lt_clock_init(void);

/* Centiseconds since lt_clock_init, by the coarse monotonic clock of the vDSO (about 3 ns, no system call; resolution
 * is the kernel tick). Saturates at UINT32_MAX. */
uint32_t lt_clock_cs(void);

/* Nanoseconds since the epoch, UTC; and nanoseconds of CLOCK_MONOTONIC. */
uint64_t lt_clock_wall_ns(void);
uint64_t lt_clock_mono_ns(void);

#endif
