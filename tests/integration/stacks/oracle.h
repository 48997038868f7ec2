/* What the oracle (oracle.c) leaves at the start of its result file. */
#ifndef LT_TESTS_STACK_ORACLE_H
#define LT_TESTS_STACK_ORACLE_H

#include <stdint.h>

enum { ORACLE_RESULT_ROOM = 4096 }; /* the text begins here */

struct oracle_result {
    uint64_t captured;  /* allocations */
    uint64_t truncated; /* of them, marked truncated */
    uint64_t compared;
    uint64_t equal;       /* frame by frame, to the last */
    uint64_t cut_short;   /* equal as far as ours goes, which says it is truncated */
    uint64_t judge_short; /* equal as far as the judge's goes */
    uint64_t different;
    uint64_t reported;
    uint64_t noted_wrongly; /* captures with a note, of the stack or of some of its frames, that is another stack's */
    uint64_t by_note, with_notes, without_notes;
};

#endif
