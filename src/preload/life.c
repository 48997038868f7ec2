/* Start, fork, and who is told what. The constructor does what the first malloc could not: libc and the file system are
 * there now, and the program has not yet dropped its privileges or changed its root directory. */
#include "preload/life.h"

#include "os/task.h"
#include "preload/descriptor.h"
#include "preload/dumper.h"
#include "preload/guard.h"
#include "preload/kin.h"
#include "preload/last.h"
#include "preload/log.h"
#include "preload/options.h"
#include "preload/output.h"
#include "preload/process.h"
#include "preload/sandbox.h"
#include "preload/tick.h"

#include <errno.h>
#include <stdatomic.h>

/* Nothing is recorded any more, and no snapshot taken; what runs in other threads of the program is not reached, but a
 * new image and a fork child have only this one. */
static void stop(void) {
    atomic_store(&lt_state, LT_STATE_OFF);
    lt_tls.thread = lt_tls.sampling = lt_tls.table = NULL;
    lt_tick_stop();
}

static __attribute__((constructor)) void begin(void) {
    const int saved = errno;
    lt_sandbox_hooks_start();
    if (!lt_start())
        return;
    lt_kin_start();
    if (lt_options.children == LT_CHILDREN_IGNORE && lt_kin_has_parent()) {
        stop();
        return;
    }
    lt_process_claim();
    lt_fd_inherited();
    lt_output_start(lt_options.dumper != LT_DUMPER_OFF);
    lt_tick_start();
    lt_last_start();
    lt_dumper_start();
    errno = saved;
}

/* No signal meanwhile: a handler must find either the parent's tables or the child's. A child of some library's
 * constructor still has our own before it. */
void lt_life_forked(void) {
    if (lt_state != LT_STATE_ON || !lt_process_pid())
        return;
    const int saved = errno;
    const uint64_t mask = lt_signals_block();
    const int parent = lt_process_pid();
    lt_process_claim();
    lt_tls.vfork_child = lt_tls.own_descriptors = false;
    lt_tls.tid = lt_gettid();
    lt_dumper_forked();
    lt_last_forked();
    if (lt_options.children == LT_CHILDREN_IGNORE) {
        stop();
    } else {
        lt_track_forked();
        lt_output_forked(parent);
        lt_tick_start();
    }
    lt_signals_restore(mask);
    errno = saved;
}

bool lt_in_vfork_child(void) {
    if (lt_likely(!lt_tls.vfork_child))
        return false;
    if (lt_process_whose() == LT_PARENTS_MEMORY)
        return true;
    lt_tls.vfork_child = false;
    return false;
}

void lt_life_note(const char *text) {
    lt_output_note(text);
}

int lt_snapshot_now(enum lt_trigger trigger) {
    const struct lt_job job = {.trigger = trigger};
    if (lt_state != LT_STATE_ON || !lt_process_pid())
        return -EAGAIN;
    if (lt_process_whose() == LT_PARENTS_MEMORY)
        return -EAGAIN;
    if (lt_process_is_copy())
        lt_life_forked();
    return lt_dumper_run_here(&job, 0);
}
