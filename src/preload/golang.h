/* Is the program written in Go? */
#ifndef LT_PRELOAD_GOLANG_H
#define LT_PRELOAD_GOLANG_H

#include <stdbool.h>

/* Whether the executable carries the Go linker's build-id note. Go ends by a raw exit_group and runs nobody's exit
 * handlers; it is threaded from the start and its main thread never leaves by itself. Any time after the loader's
 * start. */
bool lt_golang_is_main_program(void);

#endif
