/* What a report says of the resource kinds (base/kind.h): which have bytes, what one of them is called, and the words
 * that --kind and --fail-on take for several. */
#ifndef LT_REPORT_KINDS_H
#define LT_REPORT_KINDS_H

#include "base/kind.h"
#include "report/human.h"

#include <stdbool.h>
#include <stdint.h>

struct lt_amount;

/* Whether the kind is one of `kinds`, where 0 stands for all of them. */
bool lt_kind_is_in(uint32_t kind, uint32_t kinds);

/* Whether sites know bytes: of a descriptor there are none, and of a thread's stack only its row tells. */
bool lt_kind_has_bytes(uint32_t kind);

/* What all of the kind are called: "heap", "sockets", "directories", ... */
const char *lt_kind_plural(uint32_t kind);

/* "blocks", "sockets", "directories", ... */
const char *lt_kind_noun(uint32_t kind);

/* "1 block", "2 directories" */
struct lt_human lt_human_kind_count(uint64_t count, uint32_t kind);

/* "12.4 MiB in 1000 blocks", "12 sockets"; an estimate: "~12.4 MiB in ~1000 blocks" */
struct lt_phrase lt_human_held(const struct lt_amount *, uint32_t kind, bool is_estimate);

#endif
