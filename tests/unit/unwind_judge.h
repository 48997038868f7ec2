/* Captures the stack of the caller with the unwinder in use and with libunwind, and compares them frame by frame. */
#ifndef LT_TESTS_UNWIND_JUDGE_H
#define LT_TESTS_UNWIND_JUDGE_H

#include "unwind/unwind.h"

#include <signal.h>
#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { JUDGE_FRAMES = 8192 };

/* One comparison. */
struct judgement {
    struct lt_stack stack; /* what the unwinder gave; valid until the thread's next judgement */
    uint32_t judge_depth;  /* frames that libunwind gave */
    uint32_t differs_at;   /* first differing frame, innermost is 0; UINT32_MAX where the stacks are equal or cut */
    bool noted_wrongly;    /* the notes that the unwinder gave are those of another stack */
};

/* Sets arena and unwinder up; once per program. */
void judge_start(uint32_t depth, const char *unwinder);

/* Call it like malloc: from the innermost frame of a scenario. Counts and keeps the result of the calling thread's last
 * comparison; differing stacks are printed. */
void judge(void);

/* The result of this thread's last judge(). */
const struct judgement *judge_last(void);

/* Called, where it is not NULL, right before the next capture, and forgotten: to make it end early. */
extern __thread void (*judge_before_capture)(void);

/* Whether this thread is inside a capture: a signal handler may jump out of it, and sets it to 0 then. */
extern __thread volatile sig_atomic_t judge_captures;

/* Comparisons so far, of all threads; sets them to zero. */
struct judge_counts {
    uint32_t equal;     /* frame by frame, to the last */
    uint32_t cut;       /* as far as ours goes, which says that it is truncated */
    uint32_t different; /* or noted wrongly */
};
struct judge_counts judge_take_counts(void);

/* For a thread about to end: its state is used again by the next new thread. */
void judge_thread_ends(void);

#ifdef __cplusplus
}
#endif

#endif
