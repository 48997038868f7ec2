#include "os/lines.h"

#include "os/file.h"
#include "os/syscall.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

int lt_lines_open(struct lt_lines *lines, const char *path, char *buffer, size_t size) {
    *lines = (struct lt_lines){.fd = lt_open(path, O_RDONLY, 0), .buffer = buffer, .size = size};
    return lines->fd < 0 ? lines->fd : 0;
}

/* Makes room and reads on; false at the end. The last byte of the buffer is kept for a NUL. */
static bool fill(struct lt_lines *lines) {
    long n;
    lines->end -= lines->begin;
    memmove(lines->buffer, lines->buffer + lines->begin, lines->end);
    lines->begin = 0;
    do
        n = lt_syscall3(SYS_read, lines->fd, LT_ARG(lines->buffer + lines->end), (long)(lines->size - 1 - lines->end));
    while (n == -EINTR);
    if (n > 0)
        lines->end += (size_t)n;
    if (n < 0)
        lines->status = (int)n;
    return n > 0;
}

/* The next piece: a line, or as much of one as the buffer holds. */
static char *next_piece(struct lt_lines *lines, bool *whole) {
    for (;;) {
        char *at = lines->buffer + lines->begin, *newline = memchr(at, '\n', lines->end - lines->begin);
        const bool full = lines->begin == 0 && lines->end == lines->size - 1;
        *whole = newline != NULL;
        if (newline || full) {
            *(newline ? newline : lines->buffer + lines->end) = '\0';
            lines->begin = newline ? (size_t)(newline + 1 - lines->buffer) : lines->end;
            return at;
        }
        if (!fill(lines))
            return NULL;
    }
}

char *lt_lines_next(struct lt_lines *lines) {
    char *piece;
    bool whole, continues;
    do {
        continues = lines->inside;
        piece = next_piece(lines, &whole);
        lines->inside = !whole;
    } while (piece && continues);
    return piece;
}

int lt_lines_close(struct lt_lines *lines) {
    lt_close(lines->fd);
    return lines->status;
}

static unsigned digit_of(char c) {
    return c >= '0' && c <= '9'   ? (unsigned)(c - '0')
           : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10
           : c >= 'A' && c <= 'F' ? (unsigned)(c - 'A') + 10
                                  : 99;
}

uint64_t lt_number_at(const char *text, unsigned base) {
    uint64_t sum = 0;
    for (; digit_of(*text) < base; text++)
        sum = sum * base + digit_of(*text);
    return sum;
}
