/* What the output can show. */
#ifndef LT_REPORT_TERMINAL_H
#define LT_REPORT_TERMINAL_H

#include "report/escape.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum lt_color { LT_COLOR_AUTO, LT_COLOR_ALWAYS, LT_COLOR_NEVER };

struct lt_terminal {
    FILE *out;
    size_t width; /* columns; 0: not a terminal, lines may be as long as they want */
    bool color;
};

enum lt_paint { LT_PAINT_PLAIN, LT_PAINT_STRONG, LT_PAINT_FAINT, LT_PAINT_BAD, LT_PAINT_GOOD };

/* Looks at the descriptor behind `out`: AUTO means colour on a terminal unless NO_COLOR is set or TERM is dumb. */
struct lt_terminal lt_terminal_of(FILE *out, enum lt_color);

/* Writes text of our own, and bytes of names, in a colour. */
void lt_paint(const struct lt_terminal *, enum lt_paint, const char *format, ...) __attribute__((format(printf, 3, 4)));
void lt_paint_name(const struct lt_terminal *, enum lt_paint, const char *name, size_t length);

#endif
