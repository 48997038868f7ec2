#include "os/limits.h"

#include "os/file.h"
#include "os/syscall.h"

#include <fcntl.h>
#include <sys/resource.h>

/* The number in a file of /proc/sys; 0 where there is none. */
static uint64_t setting(const char *path) {
    char text[24];
    uint64_t value = 0;
    const int fd = lt_open(path, O_RDONLY, 0);
    if (fd < 0)
        return 0;
    const int64_t n = lt_pread_all(fd, text, sizeof text, 0);
    lt_close(fd);
    for (int64_t i = 0; i < n && text[i] >= '0' && text[i] <= '9'; i++)
        value = value * 10 + (uint64_t)(text[i] - '0');
    return value;
}

static struct rlimit limit_of(int resource) {
    struct rlimit limit = {0, 0};
    lt_syscall4(SYS_prlimit64, 0, resource, 0, LT_ARG(&limit));
    return limit;
}

void lt_limits(struct lt_limits *limits) {
    const struct rlimit files = limit_of(RLIMIT_NOFILE), processes = limit_of(RLIMIT_NPROC);
    const uint64_t machine = setting("/proc/sys/kernel/threads-max");
    *limits = (struct lt_limits){
        .open_files = files.rlim_cur,
        .open_files_hard = files.rlim_max,
        .mappings = setting("/proc/sys/vm/max_map_count"),
        .threads = machine && machine < processes.rlim_cur ? machine : processes.rlim_cur,
    };
}
