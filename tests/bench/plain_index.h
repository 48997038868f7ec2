/* The live index without tags, to compare with: as in track/live_index.h, but entries are searched by their own words
 * and claimed by a compare-and-swap on word 0. For the benchmark only: heap addresses that fit, nothing is replaced or
 * walked. */
#ifndef LT_TESTS_BENCH_PLAIN_INDEX_H
#define LT_TESTS_BENCH_PLAIN_INDEX_H

#include <stdbool.h>
#include <stdint.h>

bool plain_init(void);
bool plain_insert(uintptr_t address, uint64_t size, uint32_t site, uint32_t birth);
bool plain_remove(uintptr_t address);

#endif
