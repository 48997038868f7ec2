/* The LEAKTRACK_* environment variables, read once, before libc is initialised: from the environment block that the
 * kernel put above __libc_stack_end, by no libc function. One table describes them all (options.c). A value that can't
 * be understood keeps the default and is told in the log and as a note in the dump. */
#ifndef LT_PRELOAD_OPTIONS_H
#define LT_PRELOAD_OPTIONS_H

#include <stdint.h>

enum lt_dumper { LT_DUMPER_AUTO, LT_DUMPER_THREAD, LT_DUMPER_INLINE, LT_DUMPER_OFF };
enum lt_children { LT_CHILDREN_FOLLOW, LT_CHILDREN_IGNORE, LT_CHILDREN_ALL }; /* ALL: kin.h */

struct lt_options {
    const char *output;    /* pattern with %p %e %h %t; default "leaktrack.%e.%p.bin" */
    uint32_t interval_s;   /* 0 = only at exit and on demand */
    uint32_t kinds;        /* bit (1 << kind) */
    uint64_t sample_bytes; /* mean distance of samples; 0 = every block */
    uint32_t depth;
    uint32_t blocks; /* 0 or 1 */
    enum lt_dumper dumper;
    const char *unwinder; /* "native", "fp", "libunwind" */
    enum lt_children children;
    uint32_t after_s;
    uint64_t max_dump; /* bytes; suffixes K M G are powers of 1024 */
    const char *log;   /* path, "stderr", or NULL */
};
extern struct lt_options lt_options;

void lt_options_read(char **environment);

/* The options in force as "LEAKTRACK_DEPTH=128" strings, one per call, i = 0, 1, ...; NULL after the last. `buffer`
 * holds it. */
const char *lt_option_text(unsigned i, char *buffer, unsigned size);

#endif
