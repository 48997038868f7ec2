#include "preload/guard.h"

#include "os/task.h"
#include "track/counters.h"

/* One cache line, from its beginning: 8 bytes behind it, a pair of dup and close was measured to cost 15 ns more. */
LT_TLS _Alignas(64) struct lt_tls lt_tls;
_Static_assert(sizeof lt_tls <= 64, "one cache line");

/* The guarded frame lives as long as the stack pointer stays below it. A signal handler on the same stack is below it,
 * one on the alternate stack anywhere: those are nested. Everything else at or above it runs where that frame used to
 * be. A thread that shares its creator's thread-local storage (clone without CLONE_SETTLS) has no frame there at all.
 */
LT_COLD bool lt_guard_enter_slow(uintptr_t sp) {
    if (lt_tls.tid && lt_tls.tid != lt_gettid()) {
        lt_untracked(LT_UNTRACKED_FOREIGN_THREAD);
        return false;
    }
    if (sp < lt_tls.guard || lt_on_signal_stack()) {
        lt_untracked(LT_UNTRACKED_NESTED);
        return false;
    }
    lt_guard_raise(sp);
    return true;
}
