/* Parts of the JSON report. */
#ifndef LT_REPORT_RENDER_JSON_H
#define LT_REPORT_RENDER_JSON_H

#include "report/json.h"
#include "report/render.h"

/* render_json.c: the array "frames" with the call stack of a site. */
void lt_json_frames(struct lt_json *, const struct lt_report *, const struct lt_site *);

/* render_json.c: the counters of one group, name by name. */
void lt_json_counters(struct lt_json *, const char *name, const struct lt_dump_snapshot *, uint32_t group);

/* render_json_resources.c: descriptors, mappings, threads and misuses, row by row; how many sockets per state. */
void lt_json_resources(struct lt_json *, const struct lt_report *);
void lt_json_socket_states(struct lt_json *, const struct lt_model *);

#endif
