#include "os/proc.h"

#include "base/fmt.h"
#include "os/file.h"
#include "os/lines.h"
#include "os/memory.h"
#include "os/syscall.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/utsname.h>

static const char *take_number(const char *at, unsigned base, uint64_t *value) {
    uint64_t sum = 0;
    for (;; at++) {
        unsigned digit = (unsigned)(*at - '0');
        if (digit > 9)
            digit = (unsigned)(*at - 'a') < 6 ? (unsigned)(*at - 'a') + 10 : base;
        if (digit >= base)
            break;
        sum = sum * base + digit;
    }
    *value = sum;
    return at;
}

static const char *after_word(const char *at) {
    while (*at && *at != ' ')
        at++;
    while (*at == ' ')
        at++;
    return at;
}

/* One NUL-terminated line of maps: "start-end rwxp offset major:minor inode    path". */
static bool parse_map(const char *at, struct lt_map *map) {
    uint64_t start, end;
    at = take_number(at, 16, &start);
    if (*at != '-')
        return false;
    at = after_word(take_number(at + 1, 16, &end));
    if (strnlen(at, 4) < 4)
        return false;
    *map = (struct lt_map){
        .start = start,
        .end = end,
        .readable = at[0] == 'r',
        .writable = at[1] == 'w',
        .executable = at[2] == 'x',
        .shared = at[3] == 's',
    };
    at = after_word(take_number(after_word(at), 16, &map->offset));
    at = after_word(at);
    map->path = after_word(take_number(at, 10, &map->inode));
    return true;
}

int lt_proc_maps(char *buffer, size_t buffer_size, bool (*see)(void *context, const struct lt_map *), void *context) {
    struct lt_lines lines;
    struct lt_map map;
    int status = lt_lines_open(&lines, "/proc/thread-self/maps", buffer, buffer_size);
    if (status)
        return status;
    for (const char *line; (line = lt_lines_next(&lines)) != NULL;)
        if (parse_map(line, &map) && !see(context, &map))
            break;
    return lt_lines_close(&lines);
}

struct search {
    uintptr_t address;
    struct lt_map *map;
    bool found;
};

static bool see_address(void *context, const struct lt_map *map) {
    struct search *search = context;
    if (map->end <= search->address)
        return true;
    search->found = map->start <= search->address;
    if (search->found) {
        *search->map = *map;
        search->map->path = "";
    }
    return false;
}

int lt_proc_map_at(uintptr_t address, struct lt_map *map, char *buffer, size_t buffer_size) {
    struct search search = {.address = address, .map = map};
    int status = lt_proc_maps(buffer, buffer_size, see_address, &search);
    return status ? status : search.found ? 0 : -ESRCH;
}

/* Reads a small file of /proc whole; the number of bytes, or a negative errno. */
static int64_t read_file(const char *path, char *buffer, size_t size) {
    int fd = lt_open(path, O_RDONLY, 0);
    if (fd < 0)
        return fd;
    int64_t n = lt_pread_all(fd, buffer, size, 0);
    lt_close(fd);
    return n;
}

int lt_proc_memory_use(struct lt_memory_use *use) {
    char text[128];
    uint64_t size, data;
    int64_t n = read_file("/proc/thread-self/statm", text, sizeof text - 1);
    *use = (struct lt_memory_use){0, 0};
    if (n < 0)
        return (int)n;
    text[n] = '\0'; /* pages: size resident shared text library data dirty */
    const char *at = after_word(take_number(text, 10, &size));
    for (int field = 2; field < 6; field++)
        at = after_word(at);
    take_number(at, 10, &data);
    *use = (struct lt_memory_use){size * LT_PAGE, data * LT_PAGE};
    return 0;
}

/* "/proc/PID" or "/proc/self". */
static struct lt_fmt path_of(int pid, char *path, size_t size) {
    struct lt_fmt f = lt_fmt(path, size);
    lt_fmt_text(&f, "/proc/");
    if (pid)
        lt_fmt_signed(&f, pid);
    else
        lt_fmt_text(&f, "self");
    return f;
}

enum { STAT_SIZE = 512 }; /* 22 fields: a name of 64 bytes, numbers of at most 20 */

/* Field `number` (>= 3) of /proc/PID/stat, in `text`; "" where it can't be read. */
static const char *stat_field(int pid, int number, char text[static STAT_SIZE]) {
    char path[32];
    struct lt_fmt f = path_of(pid, path, sizeof path);
    lt_fmt_text(&f, "/stat");
    int64_t n = read_file(path, text, STAT_SIZE - 1);
    text[n > 0 ? n : 0] = '\0';
    const char *at = strrchr(text, ')'); /* the name in parentheses may hold blanks and parentheses */
    for (int field = 2; at && *at && field < number; field++)
        at = after_word(at);
    return at ? at : "";
}

uint64_t lt_proc_start_ticks(int pid) {
    char text[STAT_SIZE];
    uint64_t ticks;
    take_number(stat_field(pid, 22, text), 10, &ticks);
    return ticks;
}

char lt_proc_state(int pid) {
    char text[STAT_SIZE];
    return *stat_field(pid, 3, text);
}

enum { FD_PATH_SIZE = 48 };

static void fd_path_of(int pid, int fd, char path[static FD_PATH_SIZE]) {
    struct lt_fmt f = path_of(pid, path, FD_PATH_SIZE);
    lt_fmt_text(&f, "/fd/");
    lt_fmt_signed(&f, fd);
}

int lt_proc_fd_open(int pid, int fd, int flags) {
    char path[FD_PATH_SIZE];
    fd_path_of(pid, fd, path);
    return lt_open(path, flags, 0);
}

bool lt_proc_fd_target(int pid, int fd, char *target, size_t size) {
    char path[FD_PATH_SIZE];
    fd_path_of(pid, fd, path);
    long n = lt_syscall4(SYS_readlinkat, AT_FDCWD, LT_ARG(path), LT_ARG(target), (long)size - 1);
    target[n > 0 ? n : 0] = '\0';
    return n > 0;
}

int64_t lt_proc_exe(char *path, size_t size) {
    return lt_syscall4(SYS_readlinkat, AT_FDCWD, LT_ARG("/proc/thread-self/exe"), LT_ARG(path), (long)size);
}

int64_t lt_proc_cmdline(char *args, size_t size) {
    int64_t n = read_file("/proc/thread-self/cmdline", args, size);
    return n > 0 && args[n - 1] == '\0' ? n - 1 : n;
}

void lt_host_name(char *name, size_t size) {
    struct utsname names;
    struct lt_fmt f = lt_fmt(name, size);
    if (lt_syscall1(SYS_uname, LT_ARG(&names)) == 0)
        lt_fmt_text(&f, names.nodename);
}
