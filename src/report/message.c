#include "report/message.h"

#include "leaktrack.h"
#include "report/escape.h"
#include "report/progress.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static void say(const char *prefix, const char *format, va_list args) {
    int saved = errno;
    char *line = NULL;
    lt_progress_clear();
    if (vasprintf(&line, format, args) < 0)
        line = NULL;
    fprintf(stderr, "leaktrack-report: %s", prefix);
    if (line)
        lt_escape(stderr, line, LT_ESCAPE_TERMINAL);
    fputc('\n', stderr);
    free(line);
    errno = saved;
}

void lt_error(const char *format, ...) {
    va_list args;
    va_start(args, format);
    say("", format, args);
    va_end(args);
}

void lt_warn(const char *format, ...) {
    va_list args;
    va_start(args, format);
    say("warning: ", format, args);
    va_end(args);
}

_Noreturn void lt_die_of_memory(void) {
    fputs("leaktrack-report: out of memory\n", stderr);
    exit(LEAKTRACK_EXIT_UNREADABLE);
}
