/* Clocks. The tracker's unit of time is the centisecond since the library started ("birth" of a block): 32 bits of it
 * last 497 days, after which births saturate. */
#ifndef LT_OS_CLOCK_H
#define LT_OS_CLOCK_H

#include "base/attrs.h"

#include <stdint.h>
#include <time.h>

/* Fixes the start of time; called once. */
void lt_clock_init(void);

/* Centiseconds since lt_clock_init, by the coarse monotonic clock of the vDSO (about 3 ns, no system call; resolution
 * is the kernel tick). Saturates at UINT32_MAX. */
uint32_t lt_clock_cs(void);

/* The same without an end. */
uint64_t lt_clock_elapsed_cs(void);

/* To be called about once a second. In a time namespace the program may find itself with a monotonic clock that shows
 * an earlier time (unshare and fork, setns): the library's time goes on from the last such call. */
void lt_clock_keep(void);

/* The same for a thread that asks at every event, for 1 ns: what lt_clock_cs said in the same second of the wall's
 * clock, and not more than LT_CLOCK_USES questions ago. So it is up to a second behind where a thread asks seldom. The
 * note is the calling thread's; all zero is the start. */
enum { LT_CLOCK_USES = 32 };
struct lt_clock_note {
    int64_t second;
    uint32_t cs;
    uint32_t left; /* so many questions more are answered from it */
};
extern time_t (*lt_clock_second)(time_t *); /* changes at least every second; may go back */
void lt_clock_note(struct lt_clock_note *, int64_t second);
static LT_ALWAYS_INLINE uint32_t lt_clock_noted(struct lt_clock_note *note) {
    const int64_t second = lt_clock_second(NULL);
    if (lt_unlikely(second != note->second || note->left-- == 0))
        lt_clock_note(note, second);
    return note->cs;
}

/* Nanoseconds since the epoch, UTC; and nanoseconds of CLOCK_MONOTONIC. */
uint64_t lt_clock_wall_ns(void);
uint64_t lt_clock_mono_ns(void);

#endif
