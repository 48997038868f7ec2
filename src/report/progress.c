#include "report/progress.h"

#include "report/human.h"
#include "report/message.h"
#include "report/stack.h"
#include "report/terminal.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { FIRST_MS = 1000, TERMINAL_MS = 100, LOG_MS = 10000 };

static struct {
    int64_t started_ms, due_ms;
    bool asked, is_terminal, shown;
} state;

static int64_t now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Whether it is time to say something; the first call starts the clock. */
static bool is_due(void) {
    int64_t now = now_ms();
    if (!state.asked) {
        state.asked = true;
        state.is_terminal = isatty(STDERR_FILENO) == 1;
        state.started_ms = now;
        state.due_ms = now + FIRST_MS;
    }
    if (now < state.due_ms)
        return false;
    state.due_ms = now + (state.is_terminal ? TERMINAL_MS : LOG_MS);
    return true;
}

static void show(const char *line) {
    if (!state.is_terminal) {
        fputs("leaktrack-report: ", stderr);
        lt_escape(stderr, line, LT_ESCAPE_TERMINAL);
        fputc('\n', stderr);
        return;
    }
    size_t width = lt_terminal_of(stderr, LT_COLOR_NEVER).width;
    fputs("\r\33[K", stderr);
    lt_escape_part(stderr, line, lt_fit_start(line, width - 1), LT_ESCAPE_TERMINAL);
    fflush(stderr);
    state.shown = true;
}

void lt_progress(const char *format, ...) {
    if (!is_due())
        return;
    char *line = NULL;
    va_list args;
    va_start(args, format);
    int length = vasprintf(&line, format, args);
    va_end(args);
    if (length >= 0)
        show(line);
    free(length >= 0 ? line : NULL);
}

void lt_progress_clear(void) {
    if (state.shown)
        fputs("\r\33[K", stderr);
    state.shown = false;
}

void lt_progress_of_symbols(void *unused, const struct lt_symbolizer_progress *at) {
    (void)unused;
    const char *module = lt_base_name(at->module);
    if (at->fetched_bytes && at->fetch_total_bytes)
        lt_progress("fetching debug information of %s: %s of %s", module, lt_human_size(at->fetched_bytes).text,
                    lt_human_size(at->fetch_total_bytes).text);
    else if (at->fetched_bytes)
        lt_progress("fetching debug information of %s: %s", module, lt_human_size(at->fetched_bytes).text);
    else
        lt_progress("finding names: %zu of %zu frames, now %s", at->done, at->total, module);
}

void lt_warn_of_symbols(void *unused, const char *line) {
    (void)unused;
    lt_warn("%s", line);
}
