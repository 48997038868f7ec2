#include "preload/log.h"

#include "base/fmt.h"
#include "os/file.h"
#include "os/task.h"
#include "preload/life.h"
#include "preload/options.h"

#include <fcntl.h>
#include <string.h>

enum { LINE_MAX_BYTES = 512 };

/* Whole lines by one write each, so that lines of several processes do not mix. */
static void emit(const char *line, size_t length) {
    if (strcmp(lt_options.log, "stderr") == 0) {
        (void)!lt_write_all(2, line, length);
        return;
    }
    int fd = lt_open(lt_options.log, O_WRONLY | O_APPEND | O_CREAT | O_NOCTTY | O_NONBLOCK, 0600);
    if (fd < 0)
        return;
    (void)!lt_write_all(fd, line, length);
    lt_close(fd);
}

void lt_log(const char *text, const char *path, int error) {
    char line[LINE_MAX_BYTES];
    if (!lt_options.log)
        return;
    struct lt_fmt f = lt_fmt(line, sizeof line - 1); /* room for the newline of a cut line */
    lt_fmt_text(&f, "leaktrack[");
    lt_fmt_signed(&f, lt_getpid());
    lt_fmt_text(&f, "]: ");
    lt_fmt_text(&f, text);
    if (path && *path) {
        lt_fmt_text(&f, ": ");
        lt_fmt_text(&f, path);
    }
    if (error) {
        lt_fmt_text(&f, ": ");
        lt_fmt_status(&f, error);
    }
    line[f.length] = '\n';
    emit(line, f.length + 1);
}

void lt_tell(const char *text, const char *path) {
    lt_log(text, path, 0);
    lt_life_note(text);
}
