/* Which process of a family is this? */
#ifndef LT_PRELOAD_CHILDREN_H
#define LT_PRELOAD_CHILDREN_H

#include <stdbool.h>

/* Whether the parent process is tracked (it holds a control page). For a new image; looks into /proc of the parent. */
bool lt_children_is_one(void);

#endif
