#include "preload/descriptor.h"

#include "os/fd_list.h"
#include "os/file.h"
#include "os/memory.h"
#include "os/task.h"
#include "preload/dumper.h"
#include "preload/event.h"
#include "preload/life.h"
#include "preload/options.h"
#include "preload/output.h"
#include "preload/process.h"
#include "track/counters.h"
#include "track/thread.h"

#include <errno.h>
#include <limits.h>
#include <sys/stat.h>

/* Only where a flag of the thread says that it may be so is the kernel asked. */
static LT_COLD bool has_other_table(void) {
    return lt_tls.own || lt_tls.own_descriptors || lt_in_vfork_child() ||
           (lt_tls.shared && lt_process_whose() == LT_PARENTS_MEMORY);
}

static LT_ALWAYS_INLINE bool is_elsewhere(void) {
    return lt_unlikely(lt_tls.elsewhere || lt_tls.aside) && has_other_table();
}

/* What was recorded at a number that has been handed out again: its close was not seen. */
static LT_COLD void missed(struct lt_thread *thread, const struct lt_descriptor *old) {
    lt_untracked(LT_UNTRACKED_MISSED_RELEASE);
    lt_resource_release(thread, &old->holding, 1, 0);
}

static LT_COLD void not_recorded(int fd) {
    struct lt_descriptor old;
    if (lt_descriptor_take(fd, &old))
        missed(lt_event_thread(), &old);
}

/* The table did not simply take the record. */
static LT_COLD void put_was_special(int status, const struct lt_event *event, const struct lt_descriptor *old) {
    if (status > 0)
        missed(event->thread, old);
    else
        lt_resource_release(event->thread, &event->holding, 1, 0);
}

/* HOT PATH. After a system call hardly any of our code and data is left in the processor's first-level caches: what
 * costs is how many lines of them it takes, not how many instructions. So this is one function, all that it calls and
 * that is usual included. */
static LT_FLATTEN LT_NOINLINE void record(int fd, struct lt_descriptor descriptor, const struct lt_regs *from) {
    struct lt_event event;
    struct lt_descriptor old;
    if (lt_unlikely(fd < 0) || is_elsewhere())
        return;
    if (lt_unlikely(!lt_event_begin(&event, descriptor.kind, 0, from))) {
        not_recorded(fd);
        return;
    }
    descriptor.holding = event.holding;
    const int status = lt_descriptor_put(fd, &descriptor, &old);
    if (lt_unlikely(status != 0))
        put_was_special(status, &event, &old);
    lt_event_end(&event);
}

bool lt_fd_is_ours(int fd) {
    return lt_fd_may_be_kept(fd) && lt_output_owns(fd) && lt_process_whose() == LT_OWN_MEMORY;
}

int lt_fd_acquired(int fd, enum lt_kind kind, const struct lt_regs *from) {
    record(fd, (struct lt_descriptor){.kind = (uint8_t)kind, .origin = LT_ORIGIN_CALL}, from);
    return fd;
}

void lt_fd_acquired_via(int fd, enum lt_kind kind, enum lt_via via, const struct lt_regs *from) {
    record(fd, (struct lt_descriptor){.kind = (uint8_t)kind, .origin = LT_ORIGIN_CALL, .via = (uint8_t)via}, from);
}

/* The kernel's word: what has no type at all is an epoll, an eventfd or the like. */
static enum lt_kind kind_of(int fd) {
    struct lt_file_info info;
    if (lt_file_info(fd, &info) < 0)
        return LT_KIND_FILE;
    return info.mode & S_IFMT ? lt_fd_kind("", info.mode) : LT_KIND_EVENT;
}

static bool any_is_tracked(void) {
    const uint32_t kinds =
        1u << LT_KIND_FILE | 1u << LT_KIND_DIRECTORY | 1u << LT_KIND_SOCKET | 1u << LT_KIND_PIPE | 1u << LT_KIND_EVENT;
    return lt_state != LT_STATE_OFF && lt_options.kinds & kinds;
}

static bool is_worth_asking(int fd) {
    return fd >= 0 && any_is_tracked() && !is_elsewhere();
}

void lt_fd_duplicated(int source, int fd, enum lt_via via, const struct lt_regs *from) {
    struct lt_descriptor of_source;
    if (!is_worth_asking(fd))
        return;
    const enum lt_kind kind = lt_descriptor_get(source, &of_source) ? of_source.kind : kind_of(fd);
    record(fd, (struct lt_descriptor){.kind = (uint8_t)kind, .origin = LT_ORIGIN_DUP, .via = (uint8_t)via}, from);
}

void lt_fd_received(int fd, const struct lt_regs *from) {
    if (is_worth_asking(fd))
        record(fd, (struct lt_descriptor){.kind = (uint8_t)kind_of(fd), .origin = LT_ORIGIN_RECEIVED}, from);
}

bool lt_fd_released(int fd, struct lt_descriptor *released) {
    if (is_elsewhere() || !lt_descriptor_take(fd, released))
        return false;
    lt_resource_release(lt_event_thread(), &released->holding, 1, 0);
    return true;
}

bool lt_fd_simply_released(int fd) {
    enum lt_kind kind;
    if (is_elsewhere() || !lt_descriptor_take_bare(fd, &kind))
        return false;
    if (lt_likely(kind))
        lt_count_released(lt_event_thread(), kind, 1, 0);
    return true;
}

void lt_fd_kept(int fd, const struct lt_descriptor *released) {
    if (lt_descriptor_put_back(fd, released))
        lt_resource_keep(lt_event_thread(), &released->holding, 1, 0);
}

void lt_fd_goes_via(int fd, enum lt_via via) {
    if (!is_elsewhere())
        lt_descriptor_set_via(fd, via);
}

/* A child that closes all it has inherited closes the parent's streams as well: that is no mistake. */
LT_COLD void lt_fd_judge_close(int fd, int error, const struct lt_descriptor *held, const struct lt_regs *from) {
    struct lt_descriptor last;
    if (is_elsewhere())
        return;
    if (error == EBADF && (held || lt_descriptor_last(fd, &last)))
        lt_event_misuse(LT_MISUSE_NOT_OPEN, fd, held ? held : &last, from);
    else if (error != EBADF && held && held->via && held->origin != LT_ORIGIN_INHERITED)
        lt_event_misuse(held->via == LT_VIA_STREAM ? LT_MISUSE_OF_STREAM : LT_MISUSE_OF_DIRECTORY, fd, held, from);
}

LT_COLD void lt_fd_refused(int fd, const struct lt_regs *from) {
    const struct lt_descriptor ours = {.kind = LT_KIND_FILE};
    if (!is_elsewhere())
        lt_event_misuse(LT_MISUSE_OF_OURS, fd, &ours, from);
}

void lt_fd_range_released(unsigned first, unsigned last) {
    struct lt_descriptor seen;
    if (first >= INT_MAX || is_elsewhere())
        return;
    const int end = last < INT_MAX ? (int)last : INT_MAX - 1;
    for (int fd = (int)first; (fd = lt_descriptor_next(fd, &seen)) >= 0 && fd <= end; fd++)
        if (!lt_fd_is_open(fd) && lt_descriptor_vanished(fd, &seen))
            lt_resource_release(lt_event_thread(), &seen.holding, 1, 0);
}

void lt_fd_standard_streams_replaced(int source, const struct lt_regs *from) {
    struct lt_descriptor held;
    for (int fd = 0; fd <= 2; fd++)
        if (fd != source)
            lt_fd_duplicated(source, fd, lt_fd_released(fd, &held) ? held.via : LT_VIA_NOTHING, from);
}

void lt_fd_table_unshared(void) {
    if (lt_thread_count() > 1u + lt_dumper_is_resident())
        lt_tls.own_descriptors = true;
}

static bool see_inherited(void *unused, const struct lt_fd_entry *entry) {
    struct lt_descriptor old, inherited = {.origin = LT_ORIGIN_INHERITED};
    const enum lt_kind kind = lt_fd_kind(entry->target, 0);
    (void)unused;
    inherited.kind = (uint8_t)(kind == LT_KIND_FILE ? kind_of(entry->fd) : kind);
    if (lt_options.kinds >> inherited.kind & 1 && !lt_descriptor_get(entry->fd, &old))
        (void)!lt_descriptor_put(entry->fd, &inherited, &old);
    return true;
}

void lt_fd_inherited(void) {
    char *buffer = any_is_tracked() ? lt_pages_new(LT_FD_LIST_BUFFER) : NULL;
    if (buffer)
        (void)!lt_fd_list(0, buffer, LT_FD_LIST_BUFFER, see_inherited, NULL);
    lt_pages_free(buffer, LT_FD_LIST_BUFFER);
}
