/* When the next periodic snapshot is due. Pure. */
#ifndef LT_PRELOAD_SCHEDULE_H
#define LT_PRELOAD_SCHEDULE_H

#include <stdint.h>

enum { LT_CS_PER_S = 100 };
#define LT_NEVER_DUE UINT64_MAX

/* The first moment after `now_cs` (centiseconds since the start) at which a snapshot is due: 1, 2, 4, 8 ... seconds
 * after the start until the step from one to the next reaches `interval_s` seconds, then at that interval. LT_NEVER_DUE
 * where the interval is 0. */
uint64_t lt_schedule_after(uint64_t now_cs, uint32_t interval_s);

#endif
