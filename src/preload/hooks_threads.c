/* The hooks of threads: who created them, who joined or detached them.
 *
 * The acquisition is recorded before the real call, unlike any other: the new thread needs its record. It begins in an
 * assembler trampoline (arch_*.S) that gets the record as its argument, notes who it is, and jumps to the program's
 * function. A joined thread's handle may be given to a new one before the joiner is back, so the record to be released
 * is looked up before the real call. The joins are cancellation points: nothing here needs cleaning up. */
#include "os/task.h"
#include "preload/event.h"
#include "preload/hooks.h"
#include "preload/real.h"
#include "track/program_threads.h"

#include <errno.h>
#include <pthread.h>
#include <threads.h>

void *lt_thread_trampoline(void *record);

/* For the trampoline, in the new thread. */
struct lt_thread_start {
    void *(*function)(void *);
    void *argument;
};
struct lt_thread_start lt_thread_begins(struct lt_program_thread *);

struct lt_thread_start lt_thread_begins(struct lt_program_thread *thread) {
    const struct lt_thread_start start = {thread->start, thread->argument};
    lt_program_thread_runs(thread, lt_gettid(), pthread_self(), (uintptr_t)__builtin_frame_address(0));
    return start;
}

/* pthread_getattr_default_np may allocate; this does not, and takes no lock that pthread_create does not take. */
static uint64_t stack_size(const pthread_attr_t *attributes) {
    pthread_attr_t none;
    size_t size = 0;
    if (!attributes && pthread_attr_init(&none) != 0)
        return 0;
    if (pthread_attr_getstacksize(attributes ? attributes : &none, &size) != 0)
        return 0;
    return size;
}

static bool is_detached(const pthread_attr_t *attributes) {
    int state = PTHREAD_CREATE_JOINABLE;
    return attributes && pthread_attr_getdetachstate(attributes, &state) == 0 && state == PTHREAD_CREATE_DETACHED;
}

/* The record of a thread to be created; NULL where it is not recorded. */
static struct lt_program_thread *conceive(const pthread_attr_t *attributes, void *(*start)(void *), void *argument,
                                          const struct lt_regs *caller) {
    struct lt_event event;
    if (!lt_event_begin(&event, LT_KIND_THREAD, 0, caller))
        return NULL;
    const struct lt_program_thread wanted = {.holding = event.holding,
                                             .stack_size = stack_size(attributes),
                                             .detached = is_detached(attributes),
                                             .start = start,
                                             .argument = argument};
    struct lt_program_thread *thread = lt_program_thread_new(event.thread, &wanted);
    lt_event_end(&event);
    return thread;
}

static void born(struct lt_program_thread *thread, bool lives, const unsigned long *handle) {
    if (lives)
        lt_program_thread_created(lt_event_thread(), thread, handle);
    else
        lt_program_thread_failed(lt_event_thread(), thread);
}

int pthread_create(pthread_t *handle, const pthread_attr_t *attributes, void *(*start)(void *), void *argument) {
    const struct lt_regs caller = LT_CALLER;
    struct lt_program_thread *thread = conceive(attributes, start, argument, &caller);
    if (!thread)
        return LT_REAL(pthread_create)(handle, attributes, start, argument);
    int error = LT_REAL(pthread_create)(handle, attributes, lt_thread_trampoline, thread);
    born(thread, error == 0, handle);
    return error;
}

/* The trampoline jumps, so it does not matter to it what the function returns. */
#define SAME_BUT_FOR_RESULT(type, function) ((type)(void (*)(void))(function))

int thrd_create(thrd_t *handle, thrd_start_t start, void *argument) {
    const struct lt_regs caller = LT_CALLER;
    if (!LT_REAL(thrd_create))
        return thrd_error;
    struct lt_program_thread *thread = conceive(NULL, SAME_BUT_FOR_RESULT(void *(*)(void *), start), argument, &caller);
    if (!thread)
        return LT_REAL(thrd_create)(handle, start, argument);
    int result = LT_REAL(thrd_create)(handle, SAME_BUT_FOR_RESULT(thrd_start_t, lt_thread_trampoline), thread);
    born(thread, result == thrd_success, handle);
    return result;
}

/* Before the real call that joins or detaches. */
static struct lt_program_thread_ticket ticket_for(unsigned long handle) {
    struct lt_program_thread_ticket ticket = {.thread = NULL};
    if (lt_event_tracked(LT_KIND_THREAD))
        lt_program_thread_find(handle, &ticket);
    return ticket;
}

static int joined(const struct lt_program_thread_ticket *ticket, int error) {
    if (error == 0)
        lt_program_thread_joined(lt_event_thread(), ticket);
    return error;
}

int pthread_join(pthread_t handle, void **value) {
    const struct lt_program_thread_ticket ticket = ticket_for(handle);
    return joined(&ticket, LT_REAL(pthread_join)(handle, value));
}

int pthread_tryjoin_np(pthread_t handle, void **value) {
    const struct lt_program_thread_ticket ticket = ticket_for(handle);
    return LT_REAL(pthread_tryjoin_np) ? joined(&ticket, LT_REAL(pthread_tryjoin_np)(handle, value)) : ENOSYS;
}

int pthread_timedjoin_np(pthread_t handle, void **value, const struct timespec *until) {
    const struct lt_program_thread_ticket ticket = ticket_for(handle);
    return LT_REAL(pthread_timedjoin_np) ? joined(&ticket, LT_REAL(pthread_timedjoin_np)(handle, value, until))
                                         : ENOSYS;
}

int pthread_clockjoin_np(pthread_t handle, void **value, clockid_t clock, const struct timespec *until) {
    const struct lt_program_thread_ticket ticket = ticket_for(handle);
    return LT_REAL(pthread_clockjoin_np) ? joined(&ticket, LT_REAL(pthread_clockjoin_np)(handle, value, clock, until))
                                         : ENOSYS;
}

int thrd_join(thrd_t handle, int *result) {
    const struct lt_program_thread_ticket ticket = ticket_for(handle);
    return LT_REAL(thrd_join) ? joined(&ticket, LT_REAL(thrd_join)(handle, result)) : thrd_error;
}

static int detached(const struct lt_program_thread_ticket *ticket, int error) {
    if (error == 0)
        lt_program_thread_detached(lt_event_thread(), ticket);
    return error;
}

int pthread_detach(pthread_t handle) {
    const struct lt_program_thread_ticket ticket = ticket_for(handle);
    return detached(&ticket, LT_REAL(pthread_detach)(handle));
}

int thrd_detach(thrd_t handle) {
    const struct lt_program_thread_ticket ticket = ticket_for(handle);
    return LT_REAL(thrd_detach) ? detached(&ticket, LT_REAL(thrd_detach)(handle)) : thrd_error;
}
