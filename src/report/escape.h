/* Names in a dump are any bytes but NUL; this makes them safe to print. Characters that would drive a terminal or
 * reorder a line (control characters, bidirectional overrides) and bytes that are no valid UTF-8 appear as escapes; the
 * rest passes through unchanged. */
#ifndef LT_REPORT_ESCAPE_H
#define LT_REPORT_ESCAPE_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum lt_escape {
    LT_ESCAPE_TERMINAL, /* control character: \x1b or \u202e; stray byte: \xff */
    LT_ESCAPE_JSON,     /* the inside of a JSON string: control character \u001b; stray byte \\xff; quote, backslash */
};

/* Writes `text`, NUL-terminated, or its first `length` bytes. */
void lt_escape(FILE *, const char *text, enum lt_escape);
void lt_escape_part(FILE *, const char *text, size_t length, enum lt_escape);

/* How many columns LT_ESCAPE_TERMINAL would fill with the first `length` bytes (no more than strlen). */
size_t lt_escaped_width(const char *text, size_t length);

/* How many bytes at the start (at the end) of `text` fit into `columns`: whole characters. */
size_t lt_fit_start(const char *text, size_t columns);
size_t lt_fit_end(const char *text, size_t columns);

#endif
