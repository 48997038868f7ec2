/* The ramp is for programs that end without telling anyone: one that lives for 8 seconds and dies of SIGTERM has left
 * snapshots at 1, 2, 4 (and about 8) seconds, and one that lives for a month is looked at every 30. */
#include "preload/schedule.h"

uint64_t lt_schedule_after(uint64_t now_cs, uint32_t interval_s) {
    const uint64_t interval = (uint64_t)interval_s * LT_CS_PER_S;
    uint64_t due = LT_CS_PER_S;
    if (!interval)
        return LT_NEVER_DUE;
    while (due <= now_cs && due < interval) /* the step from `due` to twice `due` is `due` */
        due *= 2;
    if (due <= now_cs)
        due += ((now_cs - due) / interval + 1) * interval;
    return due;
}
