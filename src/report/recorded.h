/* What a dump can't tell about, so that "nothing is held" is not said of what nobody looked at. */
#ifndef LT_REPORT_RECORDED_H
#define LT_REPORT_RECORDED_H

#include "report/model.h"

/* The kinds that were recorded: LEAKTRACK_KINDS, less the heap where it could not be tracked (a note says so), less all
 * but the heap where the library was too old for them. */
uint32_t lt_recorded_kinds(const struct lt_model *);

#endif
