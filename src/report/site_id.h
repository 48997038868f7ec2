/* A site's identity: the same number for the same kind and the same call stack in every run of the same binaries,
 * whatever the load addresses were. docs/report-json.md defines it for third parties; a change there breaks their
 * baselines.
 *
 *   stack = 0x6c65616b747261 ("leaktra"), then for every frame, outermost first:
 *   stack = mix(mix(stack + module) + offset)
 *   id    = mix(stack + kind)
 *
 * all modulo 2^64, where mix is splitmix64's finaliser, `offset` the return address as an address of the module's file,
 * and `module` FNV-1a (64 bit) over the build-id, or over the path where the module has none; 0 for a bare address.
 * Frames of libleaktrack are left out. */
#ifndef LT_REPORT_SITE_ID_H
#define LT_REPORT_SITE_ID_H

#include "dump/reader.h"

#include <stdbool.h>
#include <stdint.h>

uint64_t lt_module_id(const struct lt_dump_module *);

/* Fills in the stack number of every node (ids[0], the empty stack's, included). own_module[i]: leave out frames of
 * module i. */
void lt_stack_ids(uint64_t *ids, const struct lt_dump *, const bool *own_module);

uint64_t lt_site_id(uint64_t stack_id, unsigned kind);

/* The step of both definitions: folds `word` into `state`. */
uint64_t lt_id_mix(uint64_t state, uint64_t word);

/* FNV-1a, 64 bit. */
uint64_t lt_id_bytes(const void *bytes, size_t size);

#endif
