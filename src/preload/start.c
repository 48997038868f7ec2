/* The first steps, taken inside the first hooked call: usually the loader's own first malloc, before libc is
 * initialised. So nothing here needs libc's state: the environment is read where the kernel put it, memory comes from
 * the arena. */
#include "os/arena.h"
#include "os/clock.h"
#include "preload/guard.h"
#include "preload/libunwind.h"
#include "preload/life.h"
#include "preload/log.h"
#include "preload/options.h"
#include "preload/real.h"
#include "preload/schedule.h"
#include "track/picture.h"
#include "track/sampler.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

_Atomic uint32_t lt_state = LT_STATE_RAW;
static bool waiting_for_libunwind;

extern void
    *__libc_stack_end; /* the loader's: there the kernel put argc, argv and, behind their NULL, the environment */

static char **kernel_environment(void) {
    static char *none[] = {NULL};
    const uintptr_t *argc = __libc_stack_end;
    if (argc)
        return (char **)(argc + 1 + *argc + 1);
    return environ ? environ : none;
}

/* The heap is passed through; whatever else can be tracked still is. */
static void give_up_heap(const char *reason, const char *culprit) {
    lt_options.kinds &= ~(1u << LT_KIND_HEAP);
    lt_tell(reason, culprit);
}

static enum lt_state make_tables(int (*libunwind_backtrace)(void **, int)) {
    const struct lt_unwind_options unwind = {
        .depth = lt_options.depth, .unwinder = lt_options.unwinder, .libunwind_backtrace = libunwind_backtrace};
    lt_clock_init();
    lt_sampling_init(lt_options.sample_bytes);
    if (lt_options.kinds >> LT_KIND_MAPPING & 1)
        lt_picture_start();
    if (lt_options.after_s)
        lt_track_warm_up(lt_clock_cs() + lt_options.after_s * LT_CS_PER_S);
    if (lt_arena_init() == 0 && lt_unwind_init(&unwind) == 0 && lt_track_init() == 0)
        return LT_STATE_ON;
    give_up_heap("nothing is tracked: the kernel grants no memory for the tables", NULL);
    return LT_STATE_OFF;
}

static enum lt_state start(void) {
    const char *culprit, *objection;
    bool everything;
    lt_real_resolve();
    if (getauxval(AT_SECURE)) /* the caller's variables must name no file for a program with more rights */
        return LT_STATE_OFF;
    lt_options_read(kernel_environment());
    objection = lt_real_heap_objection(&culprit, &everything);
    if (objection)
        give_up_heap(objection, culprit);
    if (objection && everything)
        return LT_STATE_OFF;
    if (!objection && (culprit = lt_real_unseen_new()))
        lt_tell("blocks of C++'s operator new are not tracked: the heap's library takes them without malloc", culprit);
    waiting_for_libunwind = strcmp(lt_options.unwinder, "libunwind") == 0;
    return waiting_for_libunwind ? LT_STATE_STARTING : make_tables(NULL);
}

/* The loader calls this where no hook was called before; and libunwind can be loaded only now. */
__attribute__((constructor(101))) static void start_by_loader(void) {
    lt_start();
    if (!waiting_for_libunwind)
        return;
    const int saved = errno;
    lt_tls.own = true;
    int (*backtrace)(void **, int) = lt_libunwind_load();
    lt_tls.own = false;
    errno = saved;
    if (!backtrace) {
        lt_options.unwinder = "native";
        lt_tell("libunwind can't be loaded: the native unwinder is used", NULL);
    }
    waiting_for_libunwind = false;
    atomic_store(&lt_state, make_tables(backtrace));
}

bool lt_start(void) {
    uint32_t state = LT_STATE_RAW;
    if (atomic_compare_exchange_strong(&lt_state, &state, LT_STATE_STARTING)) {
        state = start();
        atomic_store(&lt_state, state);
    }
    return state == LT_STATE_ON;
}
