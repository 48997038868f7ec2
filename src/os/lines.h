/* A file of /proc read line by line, through a buffer that may be shorter than a line. */
#ifndef LT_OS_LINES_H
#define LT_OS_LINES_H

#include "base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct lt_lines {
    int fd, status;
    char *buffer;
    size_t size, begin, end; /* of the bytes that are read and not yet handed out */
    bool inside;             /* they continue a line that was handed out already, cut */
};

/* Opens `path`; `buffer` has `size` (>= 2) bytes. 0 or a negative errno: then there is nothing to close. */
LT_STATUS lt_lines_open(struct lt_lines *, const char *path, char *buffer, size_t size);

/* The next line without its newline, NUL-terminated, cut where it is longer than the buffer; valid until the next call.
 * NULL at the end, or where reading failed (`status` is then a negative errno). */
char *lt_lines_next(struct lt_lines *);

/* The number in front of `text`, of base 10 or 16; 0 where there is none. Modulo 2^64. */
uint64_t lt_number_at(const char *text, unsigned base);

/* Closes the file; gives `status`. */
LT_STATUS lt_lines_close(struct lt_lines *);

#endif
