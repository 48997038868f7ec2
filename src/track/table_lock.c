#include "track/table_lock.h"

#include "os/clock.h"
#include "os/task.h"
#include "track/counters.h"

enum {
    WAITED_FOR = 1u << 30, /* somebody sleeps */
    GIVEN_UP = 1u << 29,   /* somebody has slept in vain */
    TID = GIVEN_UP - 1,
    SPINS = 100, /* about as long as the lock is held */
};
static const uint64_t patience_ns = 1000 * 1000 * 1000, nap_ns = 20 * 1000 * 1000;

/* Asked for once: a system call takes as long as the rest. In a child of vfork it is the parent's thread, which waits;
 * a thread without storage of its own passes for its creator, and is refused where that holds the lock. */
static LT_TLS int own_tid;

static int my_tid(void) {
    if (lt_unlikely(own_tid <= 0))
        own_tid = lt_gettid();
    return own_tid;
}

static bool swap(struct lt_table_lock *lock, uint32_t expected, uint32_t wanted) {
    return __atomic_compare_exchange_n(&lock->word, &expected, wanted, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

static uint32_t look(const struct lt_table_lock *lock) {
    return __atomic_load_n(&lock->word, __ATOMIC_RELAXED);
}

/* A handler on the same stack is below the frame that it interrupted, one on the alternate stack anywhere. Whatever
 * else runs at or above that frame has taken its place: the thread jumped out. */
static bool has_jumped_out(const struct lt_table_lock *lock, uintptr_t now) {
    const uintptr_t sp = __atomic_load_n(&lock->sp, __ATOMIC_RELAXED);
    return sp && now >= sp && !lt_on_signal_stack();
}

/* In a vfork child the holder is a thread of the parent and no business of ours. */
static bool is_dead(const struct lt_table_lock *lock, uint32_t tid) {
    return lock->pid == lt_getpid() && !lt_tid_alive((int)tid);
}

static bool spin(struct lt_table_lock *lock, uint32_t me) {
    for (int i = 0; i < SPINS; i++)
        if (look(lock) == 0 && swap(lock, 0, me))
            return true;
    return false;
}

static void nap(struct lt_table_lock *lock, uint32_t seen) {
    if (seen & WAITED_FOR || swap(lock, seen, seen | WAITED_FOR))
        lt_futex_wait(&lock->word, seen | WAITED_FOR, nap_ns);
}

static LT_COLD bool wait_for(struct lt_table_lock *lock, uint32_t me, uintptr_t sp) {
    if ((look(lock) & TID) == me)
        return has_jumped_out(lock, sp);
    if (spin(lock, me))
        return true;
    const uint64_t begin = lt_clock_mono_ns();
    for (;;) {
        uint32_t seen = look(lock);
        if (seen == 0 && swap(lock, 0, me | WAITED_FOR)) /* others may sleep still */
            return true;
        if (seen == 0)
            continue;
        if (seen & GIVEN_UP || lt_clock_mono_ns() - begin > patience_ns) {
            if (is_dead(lock, seen & TID))
                return swap(lock, seen, me | WAITED_FOR);
            if (seen & GIVEN_UP || swap(lock, seen, seen | GIVEN_UP))
                return false;
            continue;
        }
        nap(lock, seen);
    }
}

bool lt_table_lock(struct lt_table_lock *lock) {
    const int me = my_tid();
    const uintptr_t sp = (uintptr_t)__builtin_frame_address(0);
    if (lt_unlikely(me <= 0 || (!swap(lock, 0, (uint32_t)me) && !wait_for(lock, (uint32_t)me, sp)))) {
        lt_untracked(LT_UNTRACKED_BUSY);
        return false;
    }
    __atomic_store_n(&lock->sp, sp, __ATOMIC_RELAXED);
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    return true;
}

void lt_table_unlock(struct lt_table_lock *lock) {
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    __atomic_store_n(&lock->sp, 0, __ATOMIC_RELAXED);
    if (lt_unlikely(__atomic_exchange_n(&lock->word, 0, __ATOMIC_RELEASE) & WAITED_FOR))
        lt_futex_wake(&lock->word, UINT32_MAX >> 1);
}

void lt_table_lock_reset(struct lt_table_lock *lock) {
    own_tid = 0;
    *lock = (struct lt_table_lock){.pid = lt_getpid()};
}
