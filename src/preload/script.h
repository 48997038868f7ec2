/* Is the program an interpreter that runs a script? */
#ifndef LT_PRELOAD_SCRIPT_H
#define LT_PRELOAD_SCRIPT_H

#include <stdbool.h>

/* Whether a file that begins with "#!" is what was executed, or is the first argument that is no option. Looks at
 * files: not for the hot path. */
bool lt_script_is_running(void);

#endif
