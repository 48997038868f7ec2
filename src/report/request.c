#include "report/request.h"

#include "dump/control.h"
#include "dump/format.h"
#include "report/human.h"
#include "report/message.h"
#include "report/progress.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { PATIENCE_MS = 10000, STEP_MS = 10 };

struct request {
    const char *dump_path;
    struct lt_dump_header header;
    uint32_t pid;     /* of the process as it is called here: in a container it calls itself by another one */
    char fd_path[64]; /* of the page, in /proc */
    struct lt_control *page;
};

static int read_header(struct request *request) {
    int fd = open(request->dump_path, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? -1 : read(fd, &request->header, sizeof request->header);
    int error = errno;
    if (fd >= 0)
        close(fd);
    if (got < 0) {
        lt_error("%s: %s", request->dump_path, strerror(error));
        return -error;
    }
    request->pid = request->header.pid;
    if (got == sizeof request->header && memcmp(request->header.magic, LT_DUMP_MAGIC, LT_DUMP_MAGIC_SIZE) == 0)
        return 0;
    lt_error("%s: not a dump of leaktrack", request->dump_path);
    return -EBADMSG;
}

/* The name as well as the inode, which is one of many file systems'. */
static bool is_page(const struct request *request, const char *path) {
    static const char name[] = "/memfd:" LT_CONTROL_NAME;
    char target[sizeof name];
    struct stat status;
    return stat(path, &status) == 0 && status.st_ino == request->header.control_inode && S_ISREG(status.st_mode) &&
           readlink(path, target, sizeof name) == (ssize_t)sizeof name && memcmp(target, name, sizeof name - 1) == 0;
}

/* The program may have moved the descriptor: then it is another one with the same inode. */
static bool process_has_page(struct request *request, uint32_t pid) {
    char folder[32];
    snprintf(folder, sizeof folder, "/proc/%" PRIu32 "/fd", pid);
    snprintf(request->fd_path, sizeof request->fd_path, "%s/%" PRIu32, folder, request->header.control_fd);
    bool found = is_page(request, request->fd_path);
    DIR *dir = found ? NULL : opendir(folder);
    for (struct dirent *entry; dir && !found && (entry = readdir(dir));) {
        snprintf(request->fd_path, sizeof request->fd_path, "%s/%.16s", folder, entry->d_name);
        found = is_page(request, request->fd_path);
    }
    if (dir)
        closedir(dir);
    if (found)
        request->pid = pid;
    return found;
}

/* The pid by which process `pid` calls itself, the last of the line NSpid; 0: it is gone. */
static uint32_t own_pid(const char *pid) {
    char path[64], line[512];
    uint32_t own = 0;
    snprintf(path, sizeof path, "/proc/%.16s/status", pid);
    FILE *file = fopen(path, "re");
    while (file && fgets(line, sizeof line, file))
        if (strncmp(line, "NSpid:", 6) == 0)
            own = (uint32_t)strtoul(strrchr(line, '\t') + 1, NULL, 10);
    if (file)
        fclose(file);
    return own;
}

static bool find_in_containers(struct request *request) {
    DIR *dir = opendir("/proc");
    bool found = false;
    for (struct dirent *entry; dir && !found && (entry = readdir(dir));)
        if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9' && own_pid(entry->d_name) == request->header.pid)
            found = process_has_page(request, (uint32_t)strtoul(entry->d_name, NULL, 10));
    if (dir)
        closedir(dir);
    return found;
}

static bool find_page(struct request *request) {
    return process_has_page(request, request->pid) || find_in_containers(request);
}

static int say_no_page(const struct request *request) {
    char folder[32];
    uint32_t pid = request->header.pid;
    snprintf(folder, sizeof folder, "/proc/%" PRIu32, pid);
    if (access(folder, F_OK) != 0) {
        lt_error("%s: process %" PRIu32 " is not running here: its dump is final, or it runs elsewhere "
                 "(ask inside its container, or as root of its machine)",
                 request->dump_path, pid);
        return -ESRCH;
    }
    snprintf(folder, sizeof folder, "/proc/%" PRIu32 "/fd", pid);
    if (access(folder, R_OK) != 0) {
        lt_error("%s: the descriptors of process %" PRIu32 " can't be read: ask as its user or as root",
                 request->dump_path, pid);
        return -EACCES;
    }
    lt_error("%s: process %" PRIu32 " has no control page: it is not the one that wrote the dump, or has closed it",
             request->dump_path, pid);
    return -ESRCH;
}

/* The page belongs to the other process, which may be hostile: it must not be able to shrink it under us. */
static bool is_sound(int fd) {
    struct stat status;
    int seals = fcntl(fd, F_GET_SEALS);
    return seals >= 0 && (seals & F_SEAL_SHRINK) && fstat(fd, &status) == 0 && status.st_size >= LT_CONTROL_SIZE;
}

static bool is_ours(const struct request *request) {
    const struct lt_control *page = request->page;
    return page->magic == LT_CONTROL_MAGIC && page->version == LT_CONTROL_VERSION && page->pid == request->header.pid &&
           page->start_ticks == request->header.start_ticks;
}

static int open_page(struct request *request) {
    if (!find_page(request))
        return say_no_page(request);
    int fd = open(request->fd_path, O_RDWR | O_CLOEXEC);
    if (fd < 0) {
        int error = errno;
        lt_error("%s: %s: %s", request->dump_path, request->fd_path, strerror(error));
        return -error;
    }
    void *mapped = is_sound(fd) ? mmap(NULL, LT_CONTROL_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) : MAP_FAILED;
    close(fd);
    request->page = mapped == MAP_FAILED ? NULL : mapped;
    if (request->page && is_ours(request))
        return 0;
    lt_error("%s: the control page of process %" PRIu32 " is not that of this dump", request->dump_path, request->pid);
    return -ESRCH;
}

static int say_idle(const struct request *request) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    uint64_t now_ns = (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
    uint64_t beat_ns = __atomic_load_n(&request->page->beat_wall_ns, __ATOMIC_RELAXED);
    struct lt_human since = {"some time"};
    if (beat_ns && beat_ns < now_ns)
        since = lt_human_duration((now_ns - beat_ns) / 10000000);
    lt_error(
        "%s: process %" PRIu32 " did not answer within %d s: it is idle or stopped (nothing tracked for %s) and "
        "will write the snapshot when it goes on; started with LEAKTRACK_DUMPER=thread, an idle process answers, too",
        request->dump_path, request->pid, PATIENCE_MS / 1000, since.text);
    return -ETIMEDOUT;
}

static int64_t now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int await(struct request *request) {
    const struct timespec step = {0, STEP_MS * 1000000L};
    const int64_t end = now_ms() + PATIENCE_MS;
    uint32_t ticket = lt_control_ask(request->page);
    while (!lt_control_answered(request->page, ticket)) {
        if (!is_page(request, request->fd_path) && !find_page(request)) {
            lt_error("%s: process %" PRIu32 " ended before it answered", request->dump_path, request->pid);
            return -ESRCH;
        }
        if (now_ms() >= end)
            return say_idle(request);
        lt_progress("waiting for process %" PRIu32 " to write a snapshot", request->pid);
        nanosleep(&step, NULL);
    }
    lt_progress_clear();
    int result = __atomic_load_n(&request->page->result, __ATOMIC_RELAXED);
    if (result < 0)
        lt_error("%s: process %" PRIu32 " could not write the snapshot: %s", request->dump_path, request->pid,
                 strerror(-result));
    return result < 0 ? result : 0;
}

int lt_request_snapshot(const char *dump_path) {
    struct request request = {.dump_path = dump_path};
    int status = read_header(&request);
    if (!status)
        status = open_page(&request);
    if (!status)
        status = await(&request);
    if (request.page)
        munmap(request.page, LT_CONTROL_SIZE);
    return status;
}
