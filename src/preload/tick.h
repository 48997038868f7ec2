/* The clock of periodic snapshots; lt_tick itself is in life.h. */
#ifndef LT_PRELOAD_TICK_H
#define LT_PRELOAD_TICK_H

#include "preload/dumper.h"

#include <stdbool.h>
#include <stdint.h>

/* Time starts now: from the constructor, and in a fork child. */
void lt_tick_start(void);

/* No tick asks for anything any more. */
void lt_tick_stop(void);

/* Whether lt_tick has anything to do: an event without a call stack asks before it takes one. */
bool lt_tick_pending(void);

/* How long ago it started. */
uint64_t lt_tick_age_cs(void);

/* Whether a snapshot is due or asked for; then *job says which, and the next one is due later: one caller gets it.
 * Shows a sign of life on the control page, too. */
bool lt_tick_due(struct lt_job *job);

/* The interval is to be multiplied by `factor` (0 counts as 1) from now on. */
void lt_tick_slow_down(uint32_t factor);

#endif
