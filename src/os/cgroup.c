/* Where the files are: a line of /proc/thread-self/cgroup names the group within its hierarchy, a line of mountinfo
 * says which part of the hierarchy (its root) is mounted where. A container without a cgroup namespace sees the host's
 * name of its group, and only that part mounted; with a namespace both are "/". */
#include "os/cgroup.h"

#include "base/attrs.h"
#include "base/fmt.h"
#include "os/lines.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

/* Of a version 1 group without a limit: the greatest multiple of a page that fits. */
#define NO_LIMIT (UINT64_C(1) << 62)

/* The text up to `end`, which becomes its NUL; *at goes behind it. NULL where there is no `end`. */
static char *take_until(char **at, char end) {
    char *text = *at, *stop = strchr(text, end);
    if (!stop)
        return NULL;
    *stop = '\0';
    *at = stop + 1;
    return text;
}

static bool has_word(const char *list, const char *word) {
    const size_t length = strlen(word);
    for (const char *at = strstr(list, word); at; at = strstr(at + 1, word))
        if ((at == list || at[-1] == ',') && (at[length] == ',' || at[length] == '\0'))
            return true;
    return false;
}

static int open_lines(const char *root, const char *name, struct lt_cgroup_room *room, struct lt_lines *lines) {
    struct lt_fmt path = lt_fmt(room->path, sizeof room->path);
    lt_fmt_text(&path, root);
    lt_fmt_text(&path, name);
    return lt_lines_open(lines, room->path, room->line, sizeof room->line);
}

/* "4:memory:/a/b" of version 1, "0::/a/b" of version 2: its path into room->group; the version, 0 for none. */
static unsigned find_group(const char *root, struct lt_cgroup_room *room) {
    struct lt_lines lines;
    unsigned version = 0;
    if (open_lines(root, "/proc/thread-self/cgroup", room, &lines) != 0)
        return 0;
    for (char *line; (line = lt_lines_next(&lines)) != NULL;) {
        const char *hierarchy = take_until(&line, ':'), *controllers = hierarchy ? take_until(&line, ':') : NULL;
        const bool is_first = controllers && has_word(controllers, "memory");
        const bool is_second = controllers && !*controllers && strcmp(hierarchy, "0") == 0;
        if (!is_first && (!is_second || version))
            continue;
        struct lt_fmt group = lt_fmt(room->group, sizeof room->group);
        lt_fmt_text(&group, line);
        version = is_first ? 1 : 2;
    }
    return lt_lines_close(&lines) ? 0 : version;
}

/* What of the group's path lies below a mount of `mount_root`; NULL: it can't be reached there. */
static const char *below(const char *group, const char *mount_root) {
    const size_t length = strcmp(mount_root, "/") == 0 ? 0 : strlen(mount_root);
    const bool is_below = strncmp(group, mount_root, length) == 0 && (group[length] == '/' || !group[length]);
    if (!is_below || strncmp(group, "/..", 3) == 0) /* outside of the namespace */
        return NULL;
    return strcmp(group + length, "/") == 0 ? "" : group + length;
}

/* One line of mountinfo: "36 35 98:0 ROOT MOUNT_POINT OPTIONS [TAGS] - TYPE SOURCE SUPER_OPTIONS" */
static bool is_mount_of(char *line, unsigned version, char **mount_root, char **mount_point) {
    char *behind = strstr(line, " - ");
    if (!behind)
        return false;
    behind += 3;
    for (int field = 0; field < 3; field++)
        if (!take_until(&line, ' '))
            return false;
    *mount_root = take_until(&line, ' ');
    *mount_point = *mount_root ? take_until(&line, ' ') : NULL;
    const char *type = take_until(&behind, ' '), *source = type ? take_until(&behind, ' ') : NULL;
    if (!*mount_point || !source || strcmp(type, version == 2 ? "cgroup2" : "cgroup") != 0)
        return false;
    return version == 2 || has_word(behind, "memory");
}

/* The group's directory into room->path; returns the length of its mount point's path, 0 where it is not mounted. */
static size_t find_directory(const char *root, unsigned version, struct lt_cgroup_room *room) {
    struct lt_lines lines;
    size_t length = 0;
    if (open_lines(root, "/proc/thread-self/mountinfo", room, &lines) != 0)
        return 0;
    for (char *line, *mount_root, *point; !length && (line = lt_lines_next(&lines)) != NULL;) {
        const char *rest = is_mount_of(line, version, &mount_root, &point) ? below(room->group, mount_root) : NULL;
        if (!rest)
            continue;
        struct lt_fmt path = lt_fmt(room->path, sizeof room->path);
        lt_fmt_text(&path, root);
        lt_fmt_text(&path, point);
        length = path.length;
        lt_fmt_text(&path, rest);
    }
    return lt_lines_close(&lines) ? 0 : length;
}

static uint64_t number_in(const char *text) {
    const bool is_number = *text >= '0' && *text <= '9'; /* and not "max" */
    return is_number ? lt_number_at(text, 10) : LT_CGROUP_UNKNOWN;
}

/* Opens a file of the directory that is the first `length` bytes of room->path. */
static int open_file(struct lt_cgroup_room *room, size_t length, const char *name, struct lt_lines *lines) {
    struct lt_fmt rest = lt_fmt(room->path + length, sizeof room->path - length);
    lt_fmt_char(&rest, '/');
    lt_fmt_text(&rest, name);
    const int status = lt_lines_open(lines, room->path, room->line, sizeof room->line);
    room->path[length] = '\0';
    return status;
}

static uint64_t read_number(struct lt_cgroup_room *room, size_t length, const char *name) {
    struct lt_lines lines;
    if (open_file(room, length, name, &lines) != 0)
        return LT_CGROUP_UNKNOWN;
    const char *line = lt_lines_next(&lines);
    const uint64_t value = line ? number_in(line) : LT_CGROUP_UNKNOWN;
    return lt_lines_close(&lines) ? LT_CGROUP_UNKNOWN : value;
}

/* memory.stat: lines "name number". The names of version 1 are those that count the groups below, too. */
static void read_statistics(struct lt_cgroup_room *room, size_t length, struct lt_cgroup *cgroup) {
    const struct {
        const char *names[2];
        uint64_t *value;
    } rows[] = {
        {{"total_rss", "anon"}, &cgroup->anon},
        {{"total_cache", "file"}, &cgroup->file},
        {{"total_shmem", "shmem"}, &cgroup->shmem},
        {{"total_inactive_file", "inactive_file"}, &cgroup->inactive_file},
        {{"hierarchical_memory_limit", ""}, &cgroup->limit},
        {{"", "kernel"}, &cgroup->kernel},
        {{"", "slab"}, &cgroup->slab},
        {{"", "sock"}, &cgroup->sock},
    };
    struct lt_lines lines;
    if (open_file(room, length, "memory.stat", &lines) != 0)
        return;
    for (char *line; (line = lt_lines_next(&lines)) != NULL;) {
        const char *name = take_until(&line, ' ');
        for (size_t i = 0; name && i < LT_ARRAY_SIZE(rows); i++)
            if (strcmp(name, rows[i].names[cgroup->version - 1]) == 0)
                *rows[i].value = number_in(line);
    }
    (void)!lt_lines_close(&lines);
}

/* The group's own and of those above, up to where the hierarchy is mounted. */
static uint64_t least_limit(struct lt_cgroup_room *room, size_t mount_length) {
    uint64_t least = LT_CGROUP_UNKNOWN;
    for (size_t length = strlen(room->path); length >= mount_length; length--) {
        const uint64_t limit = read_number(room, length, "memory.max");
        least = limit < least ? limit : least;
        while (length > mount_length && room->path[length - 1] != '/')
            length--;
    }
    return least;
}

static void read_second(struct lt_cgroup_room *room, size_t mount_length, struct lt_cgroup *cgroup) {
    cgroup->used = read_number(room, strlen(room->path), "memory.current");
    cgroup->limit = least_limit(room, mount_length);
}

static void read_first(struct lt_cgroup_room *room, struct lt_cgroup *cgroup) {
    const size_t length = strlen(room->path);
    cgroup->used = read_number(room, length, "memory.usage_in_bytes");
    cgroup->kernel = read_number(room, length, "memory.kmem.usage_in_bytes");
    cgroup->sock = read_number(room, length, "memory.kmem.tcp.usage_in_bytes");
    if (cgroup->limit >= NO_LIMIT)
        cgroup->limit = LT_CGROUP_UNKNOWN;
}

int lt_cgroup_read(const char *root, struct lt_cgroup_room *room, struct lt_cgroup *cgroup) {
    const uint64_t none = LT_CGROUP_UNKNOWN;
    const unsigned version = find_group(root, room);
    const size_t mount_length = version ? find_directory(root, version, room) : 0;
    *cgroup = (struct lt_cgroup){version, none, none, none, none, none, none, none, none, none};
    if (!mount_length)
        return -ENOENT;
    read_statistics(room, strlen(room->path), cgroup);
    if (version == 2)
        read_second(room, mount_length, cgroup);
    else
        read_first(room, cgroup);
    return cgroup->used == none ? -ENOENT : 0;
}
