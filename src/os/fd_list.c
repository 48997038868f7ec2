/* The kernel walks a table of descriptors by number, so a list that takes several getdents64 calls misses nothing that
 * stays open. Each entry's link is read through the directory's handle: "/proc/self/task/N/fd/M" walked anew costs
 * three times as much. */
#include "os/fd_list.h"

#include "base/fmt.h"
#include "os/file.h"
#include "os/lines.h"
#include "os/syscall.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

enum { LEAST_SCANNED = 65536 }; /* the limit may have been lowered below what is open */

struct pass {
    int directory;
    struct lt_file_id id; /* of the directory itself */
    char *target;
    uint32_t count;
    bool (*see)(void *, const struct lt_fd_entry *);
    void *context;
};

static int open_directory(int tid) {
    char path[64];
    struct lt_fmt f = lt_fmt(path, sizeof path);
    lt_fmt_text(&f, tid ? "/proc/self/task/" : "/proc/thread-self");
    if (tid)
        lt_fmt_signed(&f, tid);
    lt_fmt_text(&f, "/fd");
    const int fd = lt_open(path, O_RDONLY | O_DIRECTORY, 0);
    if (fd < 0)
        return fd;
    const int moved = lt_fd_move_high(fd);
    return moved < 0 ? fd : moved;
}

static bool stat_entry(const struct pass *p, const char *name, struct stat *st) {
    return lt_syscall4(SYS_newfstatat, p->directory, LT_ARG(name), LT_ARG(st), 0) == 0;
}

/* The same number may be another file, where the table is another thread's. */
static bool is_the_pass(const struct pass *p, int fd, const char *name) {
    struct stat st;
    return fd == p->directory && stat_entry(p, name, &st) && st.st_dev == p->id.device && st.st_ino == p->id.inode;
}

/* Takes " (deleted)" away where it is the kernel's word and not part of the name. */
static bool take_deleted(const struct pass *p, const char *name, char *target) {
    static const char mark[] = " (deleted)";
    const size_t length = strlen(target), mark_length = sizeof mark - 1;
    struct stat st;
    if (length <= mark_length || strcmp(target + length - mark_length, mark) != 0)
        return false;
    if (!stat_entry(p, name, &st) || st.st_nlink > 0)
        return false;
    target[length - mark_length] = '\0';
    return strncmp(target, "/memfd:", 7) != 0;
}

/* `name` is as seen from the directory. */
static bool see_entry(struct pass *p, int fd, const char *name) {
    struct lt_fd_entry entry = {.fd = fd, .target = p->target};
    if (is_the_pass(p, fd, name))
        return true;
    const long n = lt_syscall4(SYS_readlinkat, p->directory, LT_ARG(name), LT_ARG(p->target), LT_PATH_MAX - 1);
    if (n == -ENOENT)
        return true; /* closed since */
    p->target[n > 0 ? n : 0] = '\0';
    entry.rank = p->count++;
    entry.deleted = take_deleted(p, name, p->target);
    return p->see(p->context, &entry);
}

static long see_all(struct pass *p, char *buffer, size_t size) {
    long n;
    while ((n = lt_syscall3(SYS_getdents64, p->directory, LT_ARG(buffer), (long)size)) > 0)
        for (const char *at = buffer; at < buffer + n; at += ((const struct dirent64 *)at)->d_reclen) {
            const char *name = ((const struct dirent64 *)at)->d_name;
            if (name[0] != '.' && !see_entry(p, (int)lt_number_at(name, 10), name))
                return 0;
        }
    return n;
}

/* All numbers are in use, and none is left for the directory; a link can be read without. */
static int see_by_number(struct pass *p) {
    struct lt_file_info info;
    struct rlimit limit = {0, 0};
    char path[LT_FD_PATH];
    const int status = lt_path_info("/proc/thread-self/fd", &info);
    lt_syscall4(SYS_prlimit64, 0, RLIMIT_NOFILE, 0, LT_ARG(&limit));
    const int end = limit.rlim_cur > LEAST_SCANNED ? (int)limit.rlim_cur : LEAST_SCANNED;
    p->directory = AT_FDCWD;
    for (int fd = 0; !status && fd < end; fd++) {
        if (lt_syscall2(SYS_fcntl, fd, F_GETFD) < 0)
            continue;
        lt_fd_path(path, 0, "/fd/", fd);
        if (!see_entry(p, fd, path))
            break;
    }
    return status;
}

int lt_fd_list(int tid, char *buffer, size_t size, bool (*see)(void *context, const struct lt_fd_entry *),
               void *context) {
    struct lt_file_info info = {0};
    struct pass pass = {.directory = open_directory(tid), .target = buffer, .see = see, .context = context};
    if (pass.directory < 0)
        return pass.directory == -EMFILE && tid == 0 ? see_by_number(&pass) : pass.directory;
    (void)!lt_file_info(pass.directory, &info);
    pass.id = info.id;
    const long status = see_all(&pass, buffer + LT_PATH_MAX, size - LT_PATH_MAX);
    lt_close(pass.directory);
    return (int)status;
}
