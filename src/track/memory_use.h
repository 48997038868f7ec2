/* What the kernel accounts to this process and to its control group, in every dump: "the process grows, its heap does
 * not" is answered by these. Costs a dozen system calls. */
#ifndef LT_TRACK_MEMORY_USE_H
#define LT_TRACK_MEMORY_USE_H

#include "dump/writer.h"

#include <stdint.h>

/* Puts the rows of LT_COUNTER_MEMORY into the COUNTERS section that is open; returns how many. The caller holds the
 * snapshot lock. */
uint32_t lt_put_memory(struct lt_writer *);

#endif
