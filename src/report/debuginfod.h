/* The client of debuginfod servers, where libdebuginfod is installed: libdw loads it by itself at need, and so does
 * this. */
#ifndef LT_REPORT_DEBUGINFOD_H
#define LT_REPORT_DEBUGINFOD_H

#include "report/symbolize_run.h"

#include <elfutils/libdwfl.h>
#include <stddef.h>
#include <stdint.h>

/* Makes a client of libdw's report its fetching as run->progress. `client` may be NULL. */
void lt_debuginfod_watch(struct lt_symbol_run *run, debuginfod_client *client);

/* Asks the servers of DEBUGINFOD_URLS for the debug file with that build-id, else for the program itself. Returns a
 * descriptor, which the caller closes, and sets *path (caller frees); or a negative errno number. */
int lt_debuginfod_fetch(struct lt_symbol_run *run, const uint8_t *build_id, size_t build_id_size, char **path);

#endif
