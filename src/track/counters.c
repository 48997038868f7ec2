#include "track/counters.h"

#include "base/attrs.h"

#include <stdatomic.h>

static _Atomic uint64_t counts[LT_UNTRACKED_END];

static const char *const names[LT_UNTRACKED_END] = {
#define X(name, word) [LT_UNTRACKED_##name] = (word),
    LT_UNTRACKED_REASONS(X)
#undef X
};

void lt_untracked(enum lt_untracked reason) {
    if (reason < LT_UNTRACKED_END)
        atomic_fetch_add_explicit(&counts[reason], 1, memory_order_relaxed);
}

uint64_t lt_untracked_count(enum lt_untracked reason) {
    return reason < LT_UNTRACKED_END ? atomic_load_explicit(&counts[reason], memory_order_relaxed) : 0;
}

const char *lt_untracked_name(enum lt_untracked reason) {
    return reason < LT_UNTRACKED_END ? names[reason] : "unknown";
}

void lt_untracked_forked(void) {
    for (unsigned i = 0; i < LT_UNTRACKED_END; i++)
        atomic_store_explicit(&counts[i], 0, memory_order_relaxed);
}
