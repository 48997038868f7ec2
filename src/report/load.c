#include "report/load.h"

#include "report/message.h"
#include "report/pool.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { TRIES = 6, PAUSE_MS = 100 };

/* Not mapped: a page that the writer takes back under a mapping would end us with SIGBUS. */
static int read_all(int fd, struct lt_loaded *loaded, size_t expected) {
    size_t capacity = 0;
    loaded->size = 0;
    for (;;) {
        size_t wanted = loaded->size < expected ? expected + 1 : loaded->size + (1 << 20);
        loaded->bytes = lt_grow(loaded->bytes, &capacity, wanted, 1);
        ssize_t got = read(fd, (char *)loaded->bytes + loaded->size, capacity - loaded->size);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -errno;
        if (got == 0)
            return 0;
        loaded->size += (size_t)got;
    }
}

static bool same_state(const struct stat *a, const struct stat *b) {
    return a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
           a->st_mtim.tv_nsec == b->st_mtim.tv_nsec && a->st_ino == b->st_ino;
}

/* Whether somebody holds the writer's flock on it: a process with its dump open. Asked of /proc/locks, because a lock
 * of our own, short as it were, could meet the writer's attempt. */
static bool is_held(const struct stat *status) {
    char line[256], type[16], mode[16];
    unsigned long inode;
    bool held = false;
    FILE *locks = fopen("/proc/locks", "re");
    while (locks && !held && fgets(line, sizeof line, locks))
        held = sscanf(line, "%*d: %15s %*s %15s %*d %*x:%*x:%lu", type, mode, &inode) == 3 &&
               strcmp(type, "FLOCK") == 0 && strcmp(mode, "WRITE") == 0 && inode == status->st_ino;
    if (locks)
        fclose(locks);
    return held;
}

/* Whether it is worth another look at a dump whose end is not whole. The lock is asked for first: a writer that ends in
 * between has written by then, which the size tells. */
static bool is_being_written(const char *path, const struct stat *before) {
    struct stat now;
    return is_held(before) || (stat(path, &now) == 0 && S_ISREG(now.st_mode) && !same_state(before, &now));
}

static int read_file(struct lt_loaded *loaded, struct stat *before) {
    bool is_stdin = strcmp(loaded->path, "-") == 0;
    int fd = is_stdin ? STDIN_FILENO : open(loaded->path, O_RDONLY | O_CLOEXEC);
    int status = fd < 0 || fstat(fd, before) < 0 ? -errno : 0;
    if (!status && S_ISDIR(before->st_mode))
        status = -EISDIR;
    if (!status)
        status = read_all(fd, loaded, before->st_size > 0 ? (size_t)before->st_size : 0);
    if (fd >= 0 && !is_stdin)
        close(fd);
    return status;
}

static const char *remedy(int status) {
    switch (-status) {
    case ENOENT:
        return "; the library names its dump leaktrack.PROGRAM.PID.bin, or as LEAKTRACK_OUTPUT says";
    case EACCES:
    case EPERM:
        return "; a dump can be read by the user of its process and by root";
    case EISDIR:
        return "; name a dump in it";
    default:
        return "";
    }
}

/* What to do about a dump that holds nothing to report. `before`: the file when it was read. */
static const char *content_remedy(const struct lt_loaded *loaded, const struct stat *before, bool asked) {
    if (loaded->size < 4 || memcmp(loaded->bytes, LT_DUMP_MAGIC, 4) != 0)
        return "; the library names its dump leaktrack.PROGRAM.PID.bin, or as LEAKTRACK_OUTPUT says";
    if (!is_held(before))
        return "";
    return asked ? "; its process is alive and has not written one yet"
                 : "; its process is alive, --request asks it for one";
}

static void drop(struct lt_loaded *loaded) {
    lt_dump_free(&loaded->dump);
    free(loaded->bytes);
    loaded->bytes = NULL;
}

static int parse(struct lt_loaded *loaded, struct stat *before) {
    const struct timespec pause = {0, PAUSE_MS * 1000000L};
    for (int left = TRIES;; left--) {
        int status = read_file(loaded, before);
        if (status) {
            lt_error("%s: %s%s", loaded->path, strerror(-status), remedy(status));
            free(loaded->bytes);
            loaded->bytes = NULL;
            return status;
        }
        status = lt_dump_parse(&loaded->dump, loaded->bytes, loaded->size);
        if (left <= 1 || status == -ENOMEM || loaded->dump.end == LT_DUMP_COMPLETE ||
            !is_being_written(loaded->path, before))
            return status;
        drop(loaded);
        nanosleep(&pause, NULL);
    }
}

int lt_load(struct lt_loaded *loaded, const char *path, bool asked) {
    *loaded = (struct lt_loaded){.path = path};
    struct stat before = {0};
    int status = parse(loaded, &before);
    if (status && loaded->bytes) {
        bool is_memory = status == -ENOMEM;
        lt_error("%s: %s%s", path, is_memory ? "out of memory" : loaded->dump.end_reason,
                 is_memory ? "" : content_remedy(loaded, &before, asked));
        lt_unload(loaded);
    }
    return status;
}

void lt_unload(struct lt_loaded *loaded) {
    if (loaded->bytes)
        drop(loaded);
    *loaded = (struct lt_loaded){.path = loaded->path};
}

static void say_which_there_are(const struct lt_loaded *loaded, int64_t index) {
    const struct lt_dump *dump = &loaded->dump;
    lt_error("%s: no snapshot %" PRId64 ": it holds %zu, the first is %" PRIu64 " and the last %" PRIu64 "%s",
             loaded->path, index, dump->snapshot_count, dump->snapshots[0].index,
             dump->snapshots[dump->snapshot_count - 1].index,
             dump->snapshot_count > 2 ? " (older ones may have been thinned out)" : "");
}

const struct lt_dump_snapshot *lt_find_snapshot(const struct lt_loaded *loaded, int64_t index) {
    const struct lt_dump *dump = &loaded->dump;
    size_t count = dump->snapshot_count;
    if (index == LT_FIRST_SNAPSHOT)
        return &dump->snapshots[0];
    if (index <= 0 && (uint64_t)-index < count)
        return &dump->snapshots[count - 1 - (size_t)-index];
    for (size_t i = 0; index > 0 && i < count; i++)
        if (dump->snapshots[i].index == (uint64_t)index)
            return &dump->snapshots[i];
    say_which_there_are(loaded, index);
    return NULL;
}
