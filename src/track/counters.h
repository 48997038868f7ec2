/* What could not be recorded, by reason, and told in every dump. One relaxed atomic add each; any thread, any context.
 */
#ifndef LT_TRACK_COUNTERS_H
#define LT_TRACK_COUNTERS_H

#include <stdint.h>

/* X(NAME, word in the dump) */
#define LT_UNTRACKED_REASONS(X)                                                                                        \
    X(BEFORE_START, "acquired before start-up")                                                                        \
    X(NESTED, "acquired inside the library (signal handler)")                                                          \
    X(ARENA_FULL, "no memory for the tables")                                                                          \
    X(PAUSED, "paused by leaktrack_pause")                                                                             \
    X(KIND_OFF, "kind not tracked")                                                                                    \
    X(MISSED_RELEASE, "missed release (address or descriptor handed out again)")                                       \
    X(FOREIGN_THREAD, "thread without its own thread-local storage")                                                   \
    X(TOO_LARGE, "size above 2^42")                                                                                    \
    X(ADDRESS, "address above 2^47 or not a multiple of 8")                                                            \
    X(BUSY, "a table was busy (its lock is not waited for)")

enum lt_untracked {
#define X(name, word) LT_UNTRACKED_##name,
    LT_UNTRACKED_REASONS(X)
#undef X
        LT_UNTRACKED_END
};

void lt_untracked(enum lt_untracked reason);
uint64_t lt_untracked_count(enum lt_untracked reason);
const char *lt_untracked_name(enum lt_untracked reason);

/* In a forked child: from zero. */
void lt_untracked_forked(void);

#endif
