/* Memory that Go's runtime maps for its own heap. A program with cgo does so through libc (x_cgo_mmap, called from
 * runtime.mmap), hundreds of megabytes at once, mostly reserved only. That is nobody's leak of mappings, and who holds
 * what in it is told by Go's own profiler: a report gives one sum, no site. */
#ifndef LT_REPORT_GO_RUNTIME_H
#define LT_REPORT_GO_RUNTIME_H

#include "report/model.h"
#include "report/symbolize.h"

#include <stdbool.h>

/* Takes the sites of that memory out of the model and sums them up in model->go_runtime. Resolves one name for each
 * site of mappings. */
void lt_go_runtime_take(struct lt_model *, struct lt_symbolizer *);

/* The innermost frame of a call stack that is not the library's own; 0: there is none. */
uint32_t lt_innermost_node(const struct lt_model *, uint32_t node);

/* Whether the holder was such a site. After lt_go_runtime_take. */
bool lt_is_go_runtime(const struct lt_model *, const struct lt_dump_holder *);

#endif
