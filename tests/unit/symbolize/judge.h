/* Compares the symbolizer's frames with those of addr2line and llvm-symbolizer. */
#ifndef LT_TESTS_SYMBOLIZE_JUDGE_H
#define LT_TESTS_SYMBOLIZE_JUDGE_H

#include "report/symbolize.h"

#include <stddef.h>
#include <stdint.h>

enum judge_kind {
    JUDGE_ADDR2LINE, /* binutils: places only; 2.40 gives some inlined functions the name of the outer one */
    JUDGE_LLVM,      /* places and names */
};

/* Whether the judge is installed; prints a reason where not. */
bool judge_is_here(enum judge_kind kind);

/* Resolves each address of code as if it were a call in `module`, asks the judge about `judged_file`, and fails the
 * test if a frame differs: their number, file, line, and for LLVM the function. `options` may be NULL. Returns how many
 * frames were compared. */
size_t judge_frames(enum judge_kind kind, const char *judged_file, const struct lt_dump_module *module,
                    const struct lt_symbolizer_options *options, const uint64_t *addresses, size_t count);

#endif
