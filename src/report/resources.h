/* The kernel's list of what the process holds, row by row: descriptors, mappings, threads, and the misuses of
 * descriptors. A row has a *holder*, the site that acquired it, unless it was inherited or no hook has seen it come. */
#ifndef LT_REPORT_RESOURCES_H
#define LT_REPORT_RESOURCES_H

#include "dump/reader.h"
#include "report/human.h"
#include "report/pool.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct lt_model;
struct lt_selection;
struct lt_site;

/* The rows of a snapshot that are selected, in the dump's order. They belong to the model's pool. */
struct lt_resources {
    const struct lt_dump_descriptor **descriptors;
    const struct lt_dump_mapping **mappings;
    const struct lt_dump_thread **threads;
    const struct lt_dump_misuse **misuses;
    size_t descriptor_count, mapping_count, thread_count, misuse_count;
};

/* Fills in model->resources. Where the selection looks at single descriptors (age, inheritable), what sites of their
 * kinds hold is counted anew from the rows, which know it exactly. The model's sites are sorted by id here. */
void lt_resources_select(struct lt_model *, const struct lt_selection *);

/* Keeps the rows whose holder's node is marked (misuses: the node of the call). No holder is node 0. */
void lt_resources_keep(struct lt_resources *, const bool *keep_node);

/* Whether anybody is known to have acquired it. */
bool lt_holder_is_known(const struct lt_dump_holder *);

/* The holder as a site without figures, good for its id and its call stack. */
struct lt_site lt_holder_site(const struct lt_model *, const struct lt_dump_holder *);

/* Centiseconds since the acquisition, LT_NO_NUMBER where nobody knows. */
uint64_t lt_holder_age(const struct lt_dump_snapshot *, const struct lt_dump_holder *);

/* Asks for the names of all known holders' call stacks, and of those of misuses (names.h). Mappings only with
 * `mappings`: there are many, and few reports name them. */
void lt_resources_need_names(const struct lt_model *, bool mappings);

/* How many of some rows one site holds. */
struct lt_share {
    struct lt_dump_holder holder; /* of the oldest of them */
    uint64_t site_id;
    size_t count;
    uint64_t bytes;
};

/* One row for lt_shares. */
struct lt_held {
    const struct lt_dump_holder *holder;
    uint64_t bytes;
};

/* Sums up rows by site, the one that holds most rows first; rows without a known holder are left out. Returns how many
 * shares there are; *shares belongs to the pool. */
size_t lt_shares(const struct lt_model *, const struct lt_held *, size_t count, struct lt_pool *,
                 struct lt_share **shares);

/* A thread that has ended and whose stack nobody has taken back. */
bool lt_is_unjoined(const struct lt_dump_thread *);

/* A mapping without a holder that needs none: its class says whose it is. */
bool lt_is_explained(const struct lt_dump_mapping *);

/* A socket whose peer has closed. */
bool lt_is_close_wait(const struct lt_dump_descriptor *);

/* Not the close of a number that was simply never open, as daemons do by the thousand, who meet the library's own then,
 * too. */
bool lt_is_plain_misuse(const struct lt_dump_misuse *);

/* What the kernel says (LT_KERNEL_...): false where the snapshot does not tell. */
bool lt_kernel_value(const struct lt_dump_snapshot *, const char *name, uint64_t *value);

/* How many the process has of what the kernel allows it. Where the kernel's count is missing, `used` counts the rows.
 */
struct lt_use {
    uint64_t used, limit; /* limit 0: none, or not known */
};
struct lt_use lt_use_of_descriptors(const struct lt_dump_snapshot *);
struct lt_use lt_use_of_mappings(const struct lt_dump_snapshot *);

/* More than four fifths of the limit are used. */
bool lt_is_near_limit(struct lt_use);

const char *lt_origin_word(uint32_t origin);                        /* "call", "inherited", ..., "unknown" */
const char *lt_mapping_class_word(uint32_t class);                  /* "anonymous", ..., "unknown" */
const char *lt_misuse_word(uint32_t what);                          /* "close of ...", "unknown misuse" */
struct lt_human lt_protection_word(const struct lt_dump_mapping *); /* "rw-p" */
const char *lt_via_word(uint32_t descriptor_flags); /* "stream", "directory"; NULL: the bare descriptor */

#endif
