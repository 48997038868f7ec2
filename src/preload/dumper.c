/* The helper is an ordinary thread of glibc's, made with pthread_create: a raw one would leave glibc's signals 32 and
 * 33 unanswered (setuid in a threaded program would hang) and have no thread-local storage. It is detached, and nothing
 * waits for it but unshare, setns and a main thread that leaves.
 *
 * The lock changes hands: the thread whose event made a snapshot due takes it, starts the helper, and waits until the
 * helper has it. So there is never a moment without an owner that lives, and a second snapshot cannot begin in between.
 *
 * pthread_create needs a kilobyte or two of stack, more than a coroutine may have left, so it runs on the library's
 * own, as snapshots do. That stack belongs to who holds the lock: the helper takes it over only when its creator is
 * off.
 */
#include "preload/dumper.h"

#include "os/arena.h"
#include "os/clock.h"
#include "os/file.h"
#include "os/memory.h"
#include "os/sandbox.h"
#include "os/task.h"
#include "preload/control.h"
#include "preload/golang.h"
#include "preload/guard.h"
#include "preload/last.h"
#include "preload/log.h"
#include "preload/options.h"
#include "preload/output.h"
#include "preload/own_stack.h"
#include "preload/tick.h"
#include "track/program_threads.h"
#include "track/snapshot.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>

enum {
    OWN_STACK_SIZE = 64 * 1024,
    HELPER_STACK_SIZE = 64 * 1024, /* where the program's static TLS does not fit in it: the default size */
};
static const uint64_t poll_ns = 200 * 1000, start_patience_ns = 1000 * 1000 * 1000,
                      withdraw_patience_ns = 10ull * 1000 * 1000 * 1000, nap_ns = 250 * 1000 * 1000;

static char *own_stack; /* NULL: the arena is full, snapshots run on the caller's stack */
static bool resident_wanted;
static _Atomic bool only_here, share_descriptors;

/* What creator and helper tell each other; one helper at a time, since its creator holds the snapshot lock. */
static struct {
    struct lt_job job;
    uint32_t created;         /* futex: the creator is back on its own stack */
    uint32_t took_over;       /* futex: the helper owns the lock */
    _Atomic int tid;          /* of the last helper, 0: none so far, or seen dead */
    _Atomic int resident_tid; /* likewise */
    uint32_t stop;            /* futex: the resident helper shall end */
} helper;

/* A thread that has the program's descriptors; 0: this one has. The main thread has, unless it is this one that has
 * left the common table: then nobody is known to (-1: no thread, and nothing to compare with). */
static int tid_of_program(bool isolated) {
    if (!isolated && !lt_tls.own_descriptors)
        return 0;
    return lt_gettid() == lt_getpid() ? -1 : lt_getpid();
}

/* What the picture is to leave out, and whose descriptors it is to show. */
static void set_scene(struct lt_picture_options *picture, bool isolated, int own_fds[static 2],
                      int own_tids[static 2]) {
    own_tids[0] = helper.tid;
    own_tids[1] = helper.resident_tid;
    *picture = (struct lt_picture_options){.kinds = lt_options.kinds,
                                           .program_tid = tid_of_program(isolated),
                                           .own_fds = own_fds,
                                           .own_fd_count = lt_output_descriptors(own_fds),
                                           .own_tids = own_tids,
                                           .own_tid_count = 2};
}

/* The snapshot itself. The lock is held, errno is nobody's concern: all below is raw system calls. */
static int take(const struct lt_job *job, bool isolated) {
    if (job->trigger == LT_TRIGGER_REQUEST && !lt_control_wanted())
        return 0; /* answered by another thread while this one went for the lock */
    struct lt_dump_file *file = lt_output_for_snapshot(job->flags & LT_SNAPSHOT_LAST);
    struct lt_snapshot_options options = {.blocks = lt_options.blocks, .flags = job->flags};
    int own_fds[2], own_tids[2];
    (void)!lt_dump_file_check(file); /* opens it if need be: its number is to be left out */
    set_scene(&options.picture, isolated, own_fds, own_tids);
    const uint32_t ticket = lt_control_ticket();
    int status = lt_snapshot_take(file, job->trigger, &options);
    if (status)
        lt_log("snapshot not written", file->path, status);
    lt_tick_slow_down(file->interval_factor);
    lt_control_answer(ticket, status);
    if (job->trigger == LT_TRIGGER_REQUEST || job->trigger == LT_TRIGGER_CALL)
        lt_last_keep();
    return status;
}

static int take_job(void *job) {
    return take(job, false);
}

/* The lock is held, and every signal blocked, so that no handler runs on our stack or leaves it by a jump. */
static int call_on_own_stack(int (*function)(void *), void *argument) {
    if (!own_stack)
        return function(argument);
    return lt_call_on_stack(function, argument, own_stack + OWN_STACK_SIZE);
}

static int lock_within(uint64_t patience_ns) {
    int status = lt_snapshot_try_lock();
    for (uint64_t waited = 0; status == -EBUSY && waited < patience_ns; waited += poll_ns) {
        lt_sleep_ns(poll_ns);
        status = lt_snapshot_try_lock();
    }
    return status;
}

int lt_dumper_run_here(const struct lt_job *job, uint64_t patience_ns) {
    struct lt_job copy = *job;
    uint64_t mask = lt_signals_block();
    int status = lock_within(patience_ns);
    if (status == 0) {
        status = call_on_own_stack(take_job, &copy);
        lt_snapshot_unlock();
    }
    lt_signals_restore(mask);
    return status;
}

static void announce(_Atomic int *place) {
    lt_tls.own = true;
    lt_name_thread("leaktrack");
    lt_program_thread_remember((uint64_t)pthread_self()); /* its stack will be kept by glibc */
    atomic_store(place, lt_gettid());
}

static void raise_flag(uint32_t *flag) {
    __atomic_store_n(flag, 1, __ATOMIC_RELEASE);
    lt_futex_wake(flag, 1);
}

/* In several pieces: a piece may be over too early, or have passed while the process was stopped. */
static void wait_for_flag(const uint32_t *flag) {
    for (uint64_t waited = 0; !__atomic_load_n(flag, __ATOMIC_ACQUIRE) && waited < start_patience_ns; waited += nap_ns)
        lt_futex_wait(flag, 0, nap_ns);
}

/* From here on this thread sees no descriptor but the library's; false where it still shares the program's. What has to
 * be opened is opened before, in the table that the program's threads share and exit will write through. */
static bool isolate(void) {
    int keep[2];
    (void)!lt_dump_file_check(lt_output_for_snapshot(false));
    return !share_descriptors && lt_fds_private(keep, lt_output_descriptors(keep)) == 0;
}

static void *help(void *unused) {
    announce(&helper.tid);
    wait_for_flag(&helper.created);
    lt_snapshot_hand_over(helper.tid);
    raise_flag(&helper.took_over);
    (void)take(&helper.job, isolate());
    lt_snapshot_unlock();
    atomic_store(&helper.tid, -helper.tid); /* leaving */
    return unused;
}

static void *reside(void *unused) {
    announce(&helper.resident_tid);
    raise_flag(&helper.took_over);
    const bool isolated = isolate();
    while (!__atomic_load_n(&helper.stop, __ATOMIC_ACQUIRE)) {
        struct lt_job job;
        if (lt_tick_due(&job) && lt_snapshot_try_lock() == 0) {
            (void)take(&job, isolated);
            lt_snapshot_unlock();
        }
        lt_futex_wait(&helper.stop, 0, nap_ns);
    }
    atomic_store(&helper.resident_tid, -helper.resident_tid);
    return unused;
}

/* A detached thread; 0 or a negative errno. */
static int create(void *(*run)(void *), size_t stack_size) {
    pthread_attr_t attributes;
    pthread_t thread;
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    if (stack_size)
        pthread_attr_setstacksize(&attributes, stack_size);
    int error = pthread_create(&thread, &attributes, run, NULL);
    pthread_attr_destroy(&attributes);
    return -error;
}

/* The signals are blocked in glibc's way: its own two stay open in the new thread. */
static int create_unsignalled(void *run) {
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int status = create(*(void *(**)(void *))run, HELPER_STACK_SIZE);
    if (status == -EINVAL)
        status = create(*(void *(**)(void *))run, 0);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return status;
}

/* Creates a helper and returns when it runs; -EAGAIN where there is no thread to be had. The lock is held. The signals
 * stay blocked here, too, until the helper has what it needs: a handler that exits in between would find the lock in
 * nobody's hands. */
static int launch(void *(*run)(void *)) {
    const int saved = errno;
    const bool own = lt_tls.own;
    const uint64_t mask = lt_signals_block();
    lt_tls.own = true;
    __atomic_store_n(&helper.created, 0, __ATOMIC_RELAXED);
    __atomic_store_n(&helper.took_over, 0, __ATOMIC_RELAXED);
    int status = call_on_own_stack(create_unsignalled, &run);
    lt_tls.own = own;
    raise_flag(&helper.created);
    if (status == 0)
        wait_for_flag(&helper.took_over);
    lt_signals_restore(mask);
    errno = saved;
    return status ? -EAGAIN : 0;
}

static int run_helper(const struct lt_job *job) {
    int status = lt_snapshot_try_lock();
    if (status)
        return status;
    helper.job = *job;
    status = only_here ? -EAGAIN : launch(help); /* asked again: lt_dumper_withdraw takes the lock to be sure */
    if (status)
        lt_snapshot_unlock();
    return status;
}

static int run_resident(void) {
    int nobody = atomic_load(&helper.resident_tid);
    if (nobody > 0 || !atomic_compare_exchange_strong(&helper.resident_tid, &nobody, INT_MAX))
        return 0;
    int status = lt_snapshot_try_lock();
    if (status == 0) {
        status = launch(reside);
        lt_snapshot_unlock();
    }
    if (status)
        atomic_store(&helper.resident_tid, 0);
    return status;
}

void lt_dumper_start(void) {
    own_stack = lt_arena_alloc(OWN_STACK_SIZE, LT_PAGE);
    resident_wanted =
        lt_options.dumper == LT_DUMPER_THREAD || (lt_options.dumper == LT_DUMPER_AUTO && lt_golang_is_main_program());
    if (resident_wanted)
        (void)!run_resident();
}

bool lt_dumper_is_resident(void) {
    return helper.resident_tid > 0;
}

static bool belongs_here(void) {
    return only_here || lt_sandboxed || lt_options.dumper == LT_DUMPER_INLINE;
}

int lt_dumper_dispatch(const struct lt_job *job) {
    int status = -EAGAIN;
    if (!belongs_here() && resident_wanted)
        status = run_resident();
    else if (!belongs_here() && lt_thread_count() > 1 && !lt_main_thread_left())
        status = run_helper(job);
    return status == -EAGAIN ? lt_dumper_run_here(job, 0) : status;
}

/* Waits for the thread whose tid stands at `place`. One that is leaving (negative) is soon gone: its number may be
 * another thread's already. */
static void wait_for_end(_Atomic int *place) {
    const int tid = atomic_load(place);
    const uint64_t patience = tid > 0 ? withdraw_patience_ns : start_patience_ns;
    for (uint64_t waited = 0; tid && lt_tid_alive(abs(tid)) && waited < patience; waited += poll_ns)
        lt_sleep_ns(poll_ns);
    atomic_store(place, 0);
}

void lt_dumper_withdraw(void) {
    const uint64_t mask = lt_signals_block();
    const int locked = lock_within(withdraw_patience_ns);
    __atomic_store_n(&helper.stop, 1, __ATOMIC_RELEASE);
    lt_futex_wake(&helper.stop, 1);
    wait_for_end(&helper.resident_tid);
    wait_for_end(&helper.tid);
    __atomic_store_n(&helper.stop, 0, __ATOMIC_RELEASE);
    if (locked == 0)
        lt_snapshot_unlock();
    lt_signals_restore(mask);
}

void lt_dumper_main_thread_leaves(void) {
    only_here = true;
    lt_dumper_withdraw();
}

void lt_dumper_forked(void) {
    helper.tid = helper.resident_tid = 0;
    helper.stop = 0;
}

void lt_dumper_share_descriptors(void) {
    share_descriptors = true;
}
