/* Memory that an allocator other than glibc's (a preloaded jemalloc) maps, through libc and so past a hook. Its blocks
 * are told one by one as heap; the mappings they stand in are nobody's leak: a report gives one sum, no site.
 * Allocators are known by the names of their libraries. */
#ifndef LT_REPORT_ALLOCATOR_H
#define LT_REPORT_ALLOCATOR_H

#include "report/model.h"

#include <stdbool.h>

/* Takes the sites of that memory out of the model and sums them up in model->allocator. */
void lt_allocator_take(struct lt_model *);

/* Whether the holder of a mapping is such a site. */
bool lt_is_allocators(const struct lt_model *, const struct lt_dump_holder *);

#endif
