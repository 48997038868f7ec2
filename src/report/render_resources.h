/* What the findings and the tables of sockets, descriptors, mappings and threads share. */
#ifndef LT_REPORT_RENDER_RESOURCES_H
#define LT_REPORT_RENDER_RESOURCES_H

#include "report/render.h"
#include "report/sockets.h"

/* Prints one call stack that has no number (render_findings.c). */
void lt_render_stack_alone(const struct lt_report *, const struct lt_terminal *, const struct lt_site *);

/* Words about a group of sockets: ", peer 10.0.0.5:443", ", local 10.0.0.1:80, peer 10.0.0.5"; ", oldest 3 h 2 min".
 * They hold names as the dump has them. Empty where nothing is known. */
const char *lt_socket_ends(const struct lt_socket_group *, struct lt_pool *);
const char *lt_socket_age(const struct lt_socket_group *, struct lt_pool *);

/* "connect_backend  src/backend.c:88": where a person would say that it was acquired (render_list.c). */
const char *lt_place_of_holder(const struct lt_report *, const struct lt_dump_holder *, struct lt_pool *);

/* The group's sockets as lt_shares takes them. */
struct lt_held *lt_held_sockets(const struct lt_socket_group *, struct lt_pool *);

#endif
