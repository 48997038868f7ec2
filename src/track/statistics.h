/* What the library tells about itself in every dump. */
#ifndef LT_TRACK_STATISTICS_H
#define LT_TRACK_STATISTICS_H

#include "dump/writer.h"

#include <stdint.h>

/* Numbers that only the snapshot knows. */
struct lt_statistics {
    uint64_t sites, dump_nodes, failed_snapshots, snapshot_ns;
};

/* Puts one COUNTERS row; returns 1. */
uint32_t lt_put_counter(struct lt_writer *, enum lt_counter_group, const char *name, uint64_t value);

/* Puts all statistics; returns the number of rows. */
uint32_t lt_put_statistics(struct lt_writer *, const struct lt_statistics *);

#endif
