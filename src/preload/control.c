#include "preload/control.h"

#include "dump/control.h"
#include "os/clock.h"
#include "os/proc.h"
#include "preload/log.h"
#include "preload/process.h"
#include "track/snapshot.h"
#include "track/track.h"

#include <stddef.h>

static struct lt_control *page; /* NULL: none, or the parent's */
static struct lt_file_id page_id;
static int page_fd = -1;

/* The number may be the program's by now: it is only ours while it leads to the page. */
static void drop_descriptor(void) {
    struct lt_file_info info;
    if (page_fd >= 0 && lt_file_info(page_fd, &info) == 0 && info.id.device == page_id.device &&
        info.id.inode == page_id.inode)
        lt_close(page_fd);
    page_fd = -1;
}

static int map_page(int fd) {
    struct lt_file_info info;
    int high = lt_fd_move_high(fd);
    page_fd = lt_fd_keep(high < 0 ? fd : high);
    int status = lt_file_info(page_fd, &info);
    if (status)
        return status;
    page_id = info.id;
    page = lt_file_map_shared(page_fd, LT_CONTROL_SIZE);
    return page ? 0 : -1;
}

void lt_control_open(void) {
    drop_descriptor();
    int fd = lt_memfd_sealed(LT_CONTROL_NAME, LT_CONTROL_SIZE);
    int status = fd < 0 ? fd : map_page(fd);
    if (status) {
        lt_log("no control page: leaktrack-report --request will not reach this process", NULL, status);
        return;
    }
    page->version = LT_CONTROL_VERSION;
    page->pid = (uint32_t)lt_process_pid();
    page->start_ticks = lt_proc_start_ticks(lt_process_pid());
    page->beat_wall_ns = lt_clock_wall_ns();
    __atomic_store_n(&page->magic, LT_CONTROL_MAGIC, __ATOMIC_RELEASE);
}

void lt_control_forked(void) {
    page = NULL;
}

struct lt_control *lt_control_page(void) {
    return page;
}

bool lt_control_wanted(void) {
    return page && lt_control_asked(page);
}

uint32_t lt_control_ticket(void) {
    return page ? __atomic_load_n(&page->request, __ATOMIC_ACQUIRE) : 0;
}

void lt_control_answer(uint32_t ticket, int result) {
    if (!page)
        return;
    struct lt_snapshot_stats stats;
    lt_snapshot_stats(&stats);
    page->snapshots = stats.completed;
    page->result = result;
    __atomic_store_n(&page->acknowledged, ticket, __ATOMIC_RELEASE);
    lt_control_beat();
}

static void write_totals(void) {
    for (unsigned kind = 1; kind < LT_KIND_END; kind++) {
        struct lt_totals totals;
        lt_totals(kind, &totals);
        page->totals[kind] = (struct lt_control_totals){totals.acquired_count, totals.acquired_bytes,
                                                        totals.released_count, totals.released_bytes};
    }
}

void lt_control_beat(void) {
    uint32_t sequence;
    if (!page)
        return;
    __atomic_store_n(&page->beat_wall_ns, lt_clock_wall_ns(), __ATOMIC_RELAXED);
    sequence = __atomic_load_n(&page->totals_sequence, __ATOMIC_RELAXED);
    if (sequence & 1 || !__atomic_compare_exchange_n(&page->totals_sequence, &sequence, sequence + 1, false,
                                                     __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
        return; /* another thread is at it */
    __atomic_thread_fence(__ATOMIC_RELEASE);
    write_totals();
    __atomic_store_n(&page->totals_sequence, sequence + 2, __ATOMIC_RELEASE);
}

bool lt_control_is(int fd) {
    return fd == page_fd;
}

int lt_control_fd(struct lt_file_id *id) {
    *id = page_id;
    return page_fd;
}

void lt_control_make_way(void) {
    int moved = lt_fd_move_high(page_fd);
    if (moved >= 0)
        page_fd = lt_fd_keep(moved);
}
