#include "report/siblings.h"

#include "dump/format.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST_NAMED = 3 };

struct sibling {
    struct timespec written;
    char *name;
};

static bool is_numbered(const char *name, const char *base) {
    const size_t length = strlen(base);
    return strncmp(name, base, length) == 0 && name[length] == '.' && name[length + 1] &&
           strspn(name + length + 1, "0123456789") == strlen(name + length + 1);
}

/* Looked at before it is opened: to open a device may do something, and the folder may be a container's. */
static bool is_dump(int folder, const char *name, struct stat *status) {
    char magic[LT_DUMP_MAGIC_SIZE];
    if (fstatat(folder, name, status, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(status->st_mode))
        return false;
    const int fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    const bool is_one = fd >= 0 && fstat(fd, status) == 0 && S_ISREG(status->st_mode) &&
                        read(fd, magic, sizeof magic) == (ssize_t)sizeof magic &&
                        memcmp(magic, LT_DUMP_MAGIC, sizeof magic) == 0;
    if (fd >= 0)
        close(fd);
    return is_one;
}

static int newest_first(const void *left, const void *right) {
    const struct sibling *a = left, *b = right;
    if (a->written.tv_sec != b->written.tv_sec)
        return a->written.tv_sec > b->written.tv_sec ? -1 : 1;
    return (a->written.tv_nsec < b->written.tv_nsec) - (a->written.tv_nsec > b->written.tv_nsec);
}

/* An image's start is a moment after the last snapshot of the one before it. */
static bool is_older(const struct stat *status, uint64_t start_wall_ns) {
    return (uint64_t)status->st_mtim.tv_sec + 1 < start_wall_ns / 1000000000;
}

const char *lt_siblings(const char *dump_path, uint64_t start_wall_ns, struct lt_pool *pool) {
    const char *slash = strrchr(dump_path, '/'), *base = slash ? slash + 1 : dump_path, *text = NULL;
    const char *folder = slash ? lt_pool_format(pool, "%.*s", (int)(slash - dump_path + 1), dump_path) : ".";
    struct sibling *siblings = NULL;
    size_t count = 0, capacity = 0;
    DIR *dir = opendir(folder);
    struct stat status;
    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        if (!is_numbered(entry->d_name, base) || !is_dump(dirfd(dir), entry->d_name, &status) ||
            is_older(&status, start_wall_ns))
            continue;
        siblings = lt_grow(siblings, &capacity, count + 1, sizeof *siblings);
        siblings[count++] = (struct sibling){status.st_mtim, lt_pool_format(pool, "%s", entry->d_name)};
    }
    if (dir)
        closedir(dir);
    if (count)
        qsort(siblings, count, sizeof *siblings, newest_first);
    for (size_t i = 0; i < count && i < MOST_NAMED; i++)
        text = lt_pool_format(pool, "%s%s%s", text ? text : "", text ? ", " : "", siblings[i].name);
    free(siblings);
    return count > MOST_NAMED ? lt_pool_format(pool, "%s and %zu more", text, count - MOST_NAMED) : text;
}
