/* How functions of the project tell failure: 0, or a negative errno number (-ENOSPC). They never touch errno itself,
 * which belongs to the host program. Functions that return a pointer return NULL where the one reason is memory. */
#ifndef LT_BASE_STATUS_H
#define LT_BASE_STATUS_H

/* LT_STATUS marks a result that a caller must look at. */
#define LT_STATUS __attribute__((warn_unused_result)) int

#endif
