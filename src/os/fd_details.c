/* A snapshot in a single-threaded program stops it, and a server has 10,000 sockets: what costs a file of /proc
 * (opened, printed by the kernel, read, closed: ten times fcntl) is asked only where it tells something. */
#include "os/fd_list.h"

#include "base/fmt.h"
#include "os/file.h"
#include "os/lines.h"
#include "os/syscall.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

static bool begins(const char *text, const char *start) {
    return strncmp(text, start, strlen(start)) == 0;
}

enum lt_kind lt_fd_kind(const char *target, uint32_t mode) {
    if (begins(target, "socket:["))
        return LT_KIND_SOCKET;
    if (begins(target, "pipe:["))
        return LT_KIND_PIPE;
    if (begins(target, "anon_inode:") || begins(target, "pidfd:["))
        return LT_KIND_EVENT;
    switch (mode & S_IFMT) {
    case S_IFSOCK:
        return LT_KIND_SOCKET;
    case S_IFIFO:
        return LT_KIND_PIPE;
    case S_IFDIR:
        return LT_KIND_DIRECTORY;
    default:
        return LT_KIND_FILE;
    }
}

static uint64_t number_at(const char *at, unsigned base) {
    uint64_t sum = 0;
    for (at += strspn(at, " \t"); *at; at++) {
        const char *digits = "0123456789abcdef", *digit = memchr(digits, *at, base);
        if (!digit)
            break;
        sum = sum * base + (uint64_t)(digit - digits);
    }
    return sum;
}

/* ---- one file of fdinfo ---- */

/* "it_value: (seconds, nanoseconds)" in milliseconds. */
static uint64_t milliseconds_at(const char *at) {
    const char *open = strchr(at, '('), *comma = strchr(at, ',');
    return open && comma ? number_at(open + 1, 10) * 1000 + number_at(comma + 1, 10) / 1000000 : 0;
}

struct fdinfo {
    struct lt_fd_details *details;
    struct lt_fmt note;
};

static void put_seconds(struct lt_fmt *f, uint64_t ms) {
    lt_fmt_unsigned(f, ms / 1000);
    lt_fmt_char(f, '.');
    for (unsigned digit = 100; digit; digit /= 10)
        lt_fmt_char(f, (char)('0' + ms / digit % 10));
    lt_fmt_text(f, " s");
}

static void see_timer_value(struct fdinfo *info, const char *value) {
    const uint64_t ms = milliseconds_at(value);
    const bool armed = strcmp(value, " (0, 0)") != 0;
    lt_fmt_text(&info->note, armed ? "armed, expires in " : "not armed");
    if (armed)
        put_seconds(&info->note, ms);
}

static void see_timer_interval(struct fdinfo *info, const char *value) {
    const uint64_t ms = milliseconds_at(value);
    if (!ms)
        return;
    lt_fmt_text(&info->note, ", every ");
    put_seconds(&info->note, ms);
}

static void see_signals(struct fdinfo *info, const char *value) {
    const uint64_t mask = number_at(value, 16);
    lt_fmt_text(&info->note, "signals");
    for (unsigned i = 0; i < 64; i++)
        if (mask >> i & 1) {
            lt_fmt_char(&info->note, ' ');
            lt_fmt_unsigned(&info->note, i + 1);
        }
}

static void see_process(struct fdinfo *info, const char *value) {
    if (value[strspn(value, " \t")] == '-')
        lt_fmt_text(&info->note, "process has ended");
    else {
        lt_fmt_text(&info->note, "process ");
        lt_fmt_unsigned(&info->note, number_at(value, 10));
    }
}

static void see_count(struct fdinfo *info, const char *value) {
    lt_fmt_text(&info->note, "count ");
    lt_fmt_unsigned(&info->note, number_at(value, 16));
}

static void see_position(struct fdinfo *info, const char *value) {
    info->details->position = number_at(value, 10);
}

static void see_flags(struct fdinfo *info, const char *value) {
    info->details->cloexec = number_at(value, 8) & O_CLOEXEC;
}

static void see_watch(struct fdinfo *info, const char *value) {
    (void)value;
    info->details->watches++;
}

/* Linux, fs/proc/fd.c and each file's own show_fdinfo. */
static void see_line(struct fdinfo *info, const char *line) {
    static const struct {
        const char *start;
        void (*see)(struct fdinfo *, const char *value);
    } fields[] = {
        {"pos:", see_position},        {"flags:", see_flags},          {"tfd:", see_watch},
        {"inotify wd:", see_watch},    {"fanotify ino:", see_watch},   {"fanotify mnt_id:", see_watch},
        {"eventfd-count:", see_count}, {"it_value:", see_timer_value}, {"it_interval:", see_timer_interval},
        {"sigmask:", see_signals},     {"Pid:", see_process},
    };
    for (size_t i = 0; i < LT_ARRAY_SIZE(fields); i++)
        if (begins(line, fields[i].start))
            fields[i].see(info, line + strlen(fields[i].start));
}

void lt_fd_path(char path[static LT_FD_PATH], int tid, const char *directory, int fd) {
    struct lt_fmt f = lt_fmt(path, LT_FD_PATH);
    lt_fmt_text(&f, tid ? "/proc/self/task/" : "/proc/thread-self");
    if (tid)
        lt_fmt_signed(&f, tid);
    lt_fmt_text(&f, directory);
    lt_fmt_signed(&f, fd);
}

/* An epoll of many descriptors has a line for each, a file of megabytes; no line that counts is longer than the buffer.
 */
static int look_into_fdinfo(int tid, int fd, struct lt_fd_details *details) {
    struct fdinfo info = {.details = details, .note = lt_fmt(details->note, sizeof details->note)};
    struct lt_lines lines;
    char path[LT_FD_PATH], buffer[320];
    lt_fd_path(path, tid, "/fdinfo/", fd);
    const int status = lt_lines_open(&lines, path, buffer, sizeof buffer);
    if (status)
        return status;
    for (const char *line; (line = lt_lines_next(&lines)) != NULL;)
        see_line(&info, line);
    return lt_lines_close(&lines);
}

static void set_file(struct lt_fd_details *details, const struct statx *st) {
    details->mode = st->stx_mode;
    details->device = makedev(st->stx_dev_major, st->stx_dev_minor);
    details->inode = st->stx_ino;
    details->size = S_ISREG(st->stx_mode) ? st->stx_size : 0;
}

/* With what the kernel has in memory: a server that is gone is not asked. */
static void look_at_file(int tid, int fd, struct lt_fd_details *details) {
    char path[LT_FD_PATH] = "";
    struct statx st;
    if (tid)
        lt_fd_path(path, tid, "/fd/", fd);
    const int flags = AT_STATX_DONT_SYNC | (tid ? 0 : AT_EMPTY_PATH);
    if (lt_syscall5(SYS_statx, tid ? AT_FDCWD : fd, LT_ARG(path), flags, STATX_BASIC_STATS, LT_ARG(&st)) == 0)
        set_file(details, &st);
}

static uint64_t inode_in(const char *target) {
    const char *bracket = strstr(target, ":[");
    return bracket ? number_at(bracket + 2, 10) : 0;
}

/* What the file of fdinfo tells of it that nothing else does. */
static bool tells_more(const struct lt_fd_details *details, const char *target) {
    static const char *const events[] = {"[eventfd]", "[eventpoll]", "[timerfd]", "[signalfd]",
                                         "[pidfd]",   "[fanotify]",  "inotify",   "[inotify]"};
    if (details->kind != LT_KIND_EVENT)
        return details->has_position;
    if (!begins(target, "anon_inode:"))
        return true;
    for (size_t i = 0; i < LT_ARRAY_SIZE(events); i++)
        if (strcmp(target + sizeof "anon_inode:" - 1, events[i]) == 0)
            return true;
    return false;
}

int lt_fd_details(int tid, const struct lt_fd_entry *entry, struct lt_fd_details *details) {
    const bool fully = tid || entry->rank < LT_FD_FULLY;
    long flags = 0;
    *details = (struct lt_fd_details){.kind = lt_fd_kind(entry->target, 0)};
    if (!tid && (flags = lt_syscall2(SYS_fcntl, entry->fd, F_GETFD)) == -EBADF)
        return -ENOENT;
    details->cloexec = flags > 0 && (flags & FD_CLOEXEC);
    if (details->kind == LT_KIND_FILE) {
        look_at_file(tid, entry->fd, details);
        details->kind = lt_fd_kind(entry->target, details->mode);
        details->has_position = fully && (S_ISREG(details->mode) || S_ISDIR(details->mode) || S_ISBLK(details->mode));
    } else if (details->kind != LT_KIND_EVENT)
        details->inode = inode_in(entry->target);
    if (!tid && !(fully && tells_more(details, entry->target)))
        return 0;
    const int status = look_into_fdinfo(tid, entry->fd, details);
    return tid && status == -ENOENT ? status : 0;
}
