#include "os/task_list.h"

#include "base/fmt.h"
#include "os/file.h"
#include "os/syscall.h"
#include "os/task.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/prctl.h>

enum { STAT_SIZE = 128 }; /* "tid (name) state ...": a name is at most 64 bytes, of kernel threads */

/* Fills in what DIRECTORY/TID/stat says. */
static void read_stat(int directory, const char *tid, struct lt_task *task, char text[static STAT_SIZE]) {
    char path[32];
    struct lt_fmt f = lt_fmt(path, sizeof path);
    lt_fmt_text(&f, tid);
    lt_fmt_text(&f, "/stat");
    const long fd = lt_syscall4(SYS_openat, directory, LT_ARG(path), O_RDONLY | O_CLOEXEC, 0);
    if (fd < 0)
        return;
    const int64_t n = lt_pread_all((int)fd, text, STAT_SIZE - 1, 0);
    lt_close((int)fd);
    text[n > 0 ? n : 0] = '\0';
    char *name = strchr(text, '('), *end = strrchr(text, ')'); /* a name may hold parentheses; the rest holds none */
    if (!name || !end || end[1] != ' ')
        return;
    *end = '\0';
    task->name = name + 1;
    task->state = end[2];
}

static bool see_entry(int directory, const char *name, bool (*see)(void *, const struct lt_task *), void *context) {
    char text[STAT_SIZE];
    struct lt_task task = {.state = '?', .name = ""};
    if (name[0] == '.')
        return true;
    for (const char *at = name; *at; at++)
        task.tid = task.tid * 10 + (*at - '0');
    read_stat(directory, name, &task, text);
    return see(context, &task);
}

static long see_all(int directory, char *buffer, size_t size, bool (*see)(void *, const struct lt_task *),
                    void *context) {
    long n;
    while ((n = lt_syscall3(SYS_getdents64, directory, LT_ARG(buffer), (long)size)) > 0)
        for (const char *at = buffer; at < buffer + n; at += ((const struct dirent64 *)at)->d_reclen)
            if (!see_entry(directory, ((const struct dirent64 *)at)->d_name, see, context))
                return 0;
    return n;
}

/* No descriptor is left to read the list with; where there is but one thread, it is this one. */
static int see_this_thread(bool (*see)(void *, const struct lt_task *), void *context) {
    char name[16] = "";
    if (lt_thread_count() != 1)
        return -EMFILE;
    lt_syscall2(SYS_prctl, PR_GET_NAME, LT_ARG(name));
    see(context, &(struct lt_task){.tid = lt_gettid(), .state = 'R', .name = name});
    return 0;
}

int lt_task_list(char *buffer, size_t size, bool (*see)(void *context, const struct lt_task *), void *context) {
    const int fd = lt_open("/proc/self/task", O_RDONLY | O_DIRECTORY, 0);
    if (fd < 0)
        return fd == -EMFILE ? see_this_thread(see, context) : fd;
    const int moved = lt_fd_move_high(fd), directory = moved < 0 ? fd : moved;
    const long status = see_all(directory, buffer, size, see, context);
    lt_close(directory);
    return (int)status;
}
