#include "preload/script.h"

#include "os/file.h"
#include "os/proc.h"

#include <fcntl.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>

/* Only a regular file is opened: to open others may block, or mean something to somebody. */
static bool begins_like_a_script(const char *path) {
    struct lt_file_info info;
    char start[2] = "";
    if (lt_path_info(path, &info) < 0 || !S_ISREG(info.mode))
        return false;
    const int fd = lt_open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
    if (fd < 0)
        return false;
    const bool does = lt_pread_all(fd, start, sizeof start, 0) == sizeof start && memcmp(start, "#!", 2) == 0;
    lt_close(fd);
    return does;
}

bool lt_script_is_running(void) {
    char arguments[LT_PATH_MAX / 8];
    const char *executed = (const char *)getauxval(AT_EXECFN);
    if (executed && begins_like_a_script(executed))
        return true;
    const int64_t size = lt_proc_cmdline(arguments, sizeof arguments - 1);
    if (size <= 0)
        return false;
    arguments[size] = '\0';
    const char *at = arguments, *end = arguments + size;
    do
        at += strlen(at) + 1;
    while (at < end && *at == '-');
    return at < end && begins_like_a_script(at);
}
