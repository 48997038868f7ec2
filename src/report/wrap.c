#include "report/wrap.h"

#include "report/escape.h"

#include <stdbool.h>
#include <string.h>

enum { FURTHER = 4, LONGEST_CODE = 8 };

/* "\33[...m" takes no column; 0 where the text is no such code. */
static size_t code_length(const char *text) {
    return *text == '\33' ? strcspn(text, "m") + 1 : 0;
}

/* A byte inside a character counts with its first one. */
static size_t columns_at(const char *text) {
    size_t length = 1;
    while ((text[length] & 0xc0) == 0x80)
        length++;
    return (*text & 0xc0) == 0x80 ? 0 : lt_escaped_width(text, length);
}

static size_t width_of(const char *text, const char *end) {
    size_t columns = 0;
    while (text < end) {
        size_t code = code_length(text);
        columns += code ? 0 : columns_at(text);
        text += code ? code : 1;
    }
    return columns;
}

/* Not between the columns of a table, nor between a number and its unit. */
static bool is_break(const char *at) {
    return *at == ' ' && at[-1] != ' ' && at[1] != ' ' && !(at[-1] >= '0' && at[-1] <= '9') && at[1] != '%';
}

/* The blank to break at, so that what is before it takes at most `room` columns if it can; `end` where there is none.
 * The first `indent` blanks are none. */
static const char *find_break(const char *text, const char *end, size_t indent, size_t room) {
    const char *at_word = end, *at_pause = end;
    size_t columns = 0, pause_columns = 0;
    for (const char *at = text; at < end && columns <= room;) {
        size_t code = code_length(at);
        if (at > text + indent && is_break(at)) {
            at_word = at;
            if (strchr(",;", at[-1])) {
                at_pause = at;
                pause_columns = columns;
            }
        }
        columns += code ? 0 : columns_at(at);
        at += code ? code : 1;
    }
    if (at_word == end) /* a word wider than the room: behind it */
        for (at_word = text + indent + 1; at_word < end && !is_break(at_word);)
            at_word++;
    return pause_columns > room / 2 ? at_pause : at_word;
}

/* The colour that holds at the end of the piece; "" none. */
static void follow_color(char color[LONGEST_CODE], const char *text, const char *end) {
    for (; text < end; text++) {
        size_t length = code_length(text);
        if (length && length < LONGEST_CODE)
            snprintf(color, LONGEST_CODE, "%.*s", (int)length, strncmp(text, "\33[0m", length) == 0 ? "" : text);
    }
}

static void wrap_line(FILE *out, const char *line, const char *end, size_t width) {
    char color[LONGEST_CODE] = "";
    size_t indent = strspn(line, " "), further = 0;
    while (further + width_of(line, end) > width) {
        const char *at = find_break(line, end, further ? 0 : indent, width - further);
        if (at == end)
            break;
        further = indent + FURTHER < width / 2 ? indent + FURTHER : width / 2;
        follow_color(color, line, at);
        fprintf(out, "%.*s%s\n%*s%s", (int)(at - line), line, color[0] ? "\33[0m" : "", (int)further, "", color);
        line = at + 1;
    }
    fprintf(out, "%.*s\n", (int)(end - line), line);
}

void lt_wrap(FILE *out, const char *text, size_t width) {
    while (*text) {
        const char *end = text + strcspn(text, "\n");
        wrap_line(out, text, end, width);
        text = *end ? end + 1 : end;
    }
}
