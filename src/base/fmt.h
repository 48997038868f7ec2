/* Text in a caller's buffer without stdio: printf may allocate, takes locks and reads the locale. Writes never pass the
 * end; what does not fit is cut and remembered in `cut`. The text is NUL-terminated after every call.
 *
 *     char line[128];
 *     struct lt_fmt f = lt_fmt(line, sizeof line);
 *     lt_fmt_text(&f, "cannot open ");
 *     lt_fmt_text(&f, path);
 *     lt_fmt_text(&f, ": ");
 *     lt_fmt_status(&f, -EACCES);                      "cannot open /x: EACCES: Permission denied"
 *
 * Pure; any thread, signal handlers too. */
#ifndef LT_BASE_FMT_H
#define LT_BASE_FMT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct lt_fmt {
    char *text;
    size_t size;   /* of the buffer, its NUL included */
    size_t length; /* of the text, its NUL not included: < size */
    bool cut;      /* something did not fit */
};

/* Starts an empty text in `size` bytes (>= 1) at `buffer`. */
struct lt_fmt lt_fmt(char *buffer, size_t size);

void lt_fmt_text(struct lt_fmt *, const char *text);
void lt_fmt_bytes(struct lt_fmt *, const char *bytes, size_t size);
void lt_fmt_char(struct lt_fmt *, char);
void lt_fmt_unsigned(struct lt_fmt *, uint64_t);
void lt_fmt_signed(struct lt_fmt *, int64_t);

/* Lower-case hexadecimal after "0x", at least `digits` of them (0 .. 16). */
void lt_fmt_hex(struct lt_fmt *, uint64_t, unsigned digits);

/* A status as in base/status.h, of either sign: "ENOSPC: No space left on device", "errno 4095" for one without a name,
 * "success" for 0. English in every locale. */
void lt_fmt_status(struct lt_fmt *, int status);

#endif
