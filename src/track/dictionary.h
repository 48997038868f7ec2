/* The dump's dictionaries, as far as they concern the tracker: which modules and nodes the file already holds, and
 * under which numbers. One dictionary, that of the one dump file; whoever calls holds the snapshot lock.
 *
 * Nodes of different threads, or epochs, that stand for the same call stack get one number. A module's number in the
 * dump is its lt_module id.
 *
 * What a snapshot adds is tentative until lt_dictionary_commit; lt_dictionary_rollback makes the next one add it again.
 */
#ifndef LT_TRACK_DICTIONARY_H
#define LT_TRACK_DICTIONARY_H

#include "base/status.h"
#include "dump/writer.h"

#include <stdbool.h>
#include <stdint.h>

/* A new file: it holds nothing. */
void lt_dictionary_reset(void);

/* Numbers every node made so far. False where memory is short: then new nodes have no number in this snapshot. */
bool lt_dictionary_number(void);

/* Writes the modules, nodes and unloads that are new. */
LT_STATUS lt_dictionary_write(struct lt_writer *);

void lt_dictionary_commit(void);
void lt_dictionary_rollback(void);

/* Numbers in use are 1 .. lt_dictionary_nodes() - 1. */
uint32_t lt_dictionary_nodes(void);

#endif
