#include "report/terminal.h"

#include "report/human.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { LEAST_WIDTH = 40, USUAL_WIDTH = 80 };

static size_t width_of(int fd) {
    struct winsize size;
    const char *columns = getenv("COLUMNS");
    uint64_t width = 0;
    if (ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col)
        width = size.ws_col;
    else if (!columns || lt_parse_number(columns, &width) < 0 || width > 10000)
        width = USUAL_WIDTH;
    return width < LEAST_WIDTH ? LEAST_WIDTH : (size_t)width;
}

static bool wants_color(enum lt_color color, bool is_terminal) {
    const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM"); /* https://no-color.org */
    if (color != LT_COLOR_AUTO)
        return color == LT_COLOR_ALWAYS;
    return is_terminal && !(no_color && *no_color) && term && strcmp(term, "dumb") != 0;
}

struct lt_terminal lt_terminal_of(FILE *out, enum lt_color color) {
    bool is_terminal = isatty(fileno(out)) == 1;
    return (struct lt_terminal){
        .out = out, .width = is_terminal ? width_of(fileno(out)) : 0, .color = wants_color(color, is_terminal)};
}

static const char *const codes[] = {"", "\33[1m", "\33[2m", "\33[31m", "\33[32m"};

static void begin(const struct lt_terminal *terminal, enum lt_paint paint) {
    if (terminal->color)
        fputs(codes[paint], terminal->out);
}

static void end(const struct lt_terminal *terminal, enum lt_paint paint) {
    if (terminal->color && paint != LT_PAINT_PLAIN)
        fputs("\33[0m", terminal->out);
}

void lt_paint(const struct lt_terminal *terminal, enum lt_paint paint, const char *format, ...) {
    va_list args;
    begin(terminal, paint);
    va_start(args, format);
    vfprintf(terminal->out, format, args);
    va_end(args);
    end(terminal, paint);
}

void lt_paint_name(const struct lt_terminal *terminal, enum lt_paint paint, const char *name, size_t length) {
    begin(terminal, paint);
    lt_escape_part(terminal->out, name, length, LT_ESCAPE_TERMINAL);
    end(terminal, paint);
}
