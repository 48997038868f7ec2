#include "report/escape.h"

#include "base/attrs.h"

#include <stdbool.h>
#include <string.h>

struct character {
    uint32_t code;
    size_t length; /* in bytes, >= 1 */
    bool valid;    /* else `code` is a byte that is no part of valid UTF-8 */
};

struct range {
    uint32_t first, last;
};

/* Unicode 15, East Asian Width W and F: the blocks that a terminal draws two columns wide. */
static const struct range wide[] = {{0x1100, 0x115f},   {0x2e80, 0x303e},   {0x3041, 0xa4cf},  {0xac00, 0xd7a3},
                                    {0xf900, 0xfaff},   {0xfe30, 0xfe6f},   {0xff00, 0xff60},  {0xffe0, 0xffe6},
                                    {0x1f300, 0x1f64f}, {0x1f900, 0x1f9ff}, {0x20000, 0x3fffd}};
static const struct range zero_width[] = {{0x300, 0x36f}, {0x200b, 0x200d}, {0x20d0, 0x20ff}, {0xfe00, 0xfe0f}};
/* C0 and C1 controls, and what reorders a line: UAX #9 embeddings, overrides, isolates and marks; line separators. */
static const struct range unsafe[] = {{0, 0x1f},        {0x7f, 0x9f},     {0x61c, 0x61c},  {0x200e, 0x200f},
                                      {0x2028, 0x202e}, {0x2066, 0x2069}, {0xfeff, 0xfeff}};

static bool within(uint32_t code, const struct range *ranges, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (code >= ranges[i].first && code <= ranges[i].last)
            return true;
    return false;
}

#define WITHIN(code, ranges) within((code), (ranges), LT_ARRAY_SIZE(ranges))

/* RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF. `left` >= 1. */
static struct character decode(const unsigned char *text, size_t left) {
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    struct character stray = {text[0], 1, false};
    size_t length = text[0] < 0x80             ? 1
                    : (text[0] & 0xe0) == 0xc0 ? 2
                    : (text[0] & 0xf0) == 0xe0 ? 3
                    : (text[0] & 0xf8) == 0xf0 ? 4
                                               : 0;
    if (length == 0 || length > left)
        return stray;
    uint32_t code = length == 1 ? text[0] : text[0] & (0x7fu >> length);
    for (size_t i = 1; i < length; i++) {
        if ((text[i] & 0xc0) != 0x80)
            return stray;
        code = code << 6 | (text[i] & 0x3f);
    }
    if (code < least[length] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
        return stray;
    return (struct character){code, length, true};
}

static bool is_safe(const struct character *c) {
    return c->valid && !WITHIN(c->code, unsafe);
}

static bool is_plain(unsigned char byte, enum lt_escape style) {
    return byte >= 0x20 && byte < 0x7f && !(style == LT_ESCAPE_JSON && (byte == '"' || byte == '\\'));
}

static void put_special(FILE *out, const char *text, const struct character *c, enum lt_escape style) {
    if (is_safe(c) && c->length == 1) /* in JSON: quote or backslash */
        fprintf(out, "\\%c", text[0]);
    else if (is_safe(c))
        fwrite_unlocked(text, 1, c->length, out);
    else if (!c->valid)
        fprintf(out, style == LT_ESCAPE_JSON ? "\\\\x%02x" : "\\x%02x", (unsigned)c->code);
    else if (style == LT_ESCAPE_JSON || c->code > 0xff)
        fprintf(out, "\\u%04x", (unsigned)c->code);
    else
        fprintf(out, "\\x%02x", (unsigned)c->code);
}

void lt_escape_part(FILE *out, const char *text, size_t length, enum lt_escape style) {
    size_t at = 0;
    while (at < length) {
        size_t run = at;
        while (run < length && is_plain((unsigned char)text[run], style))
            run++;
        fwrite_unlocked(text + at, 1, run - at, out);
        at = run;
        if (at < length) {
            struct character c = decode((const unsigned char *)text + at, length - at);
            put_special(out, text + at, &c, style);
            at += c.length;
        }
    }
}

void lt_escape(FILE *out, const char *text, enum lt_escape style) {
    lt_escape_part(out, text, strlen(text), style);
}

static size_t columns_of(const struct character *c) {
    if (!is_safe(c))
        return c->code > 0xff ? 6 : 4;
    if (c->code < 0x300)
        return 1;
    return WITHIN(c->code, zero_width) ? 0 : WITHIN(c->code, wide) ? 2 : 1;
}

size_t lt_escaped_width(const char *text, size_t length) {
    size_t columns = 0;
    for (size_t at = 0; at < length;) {
        struct character c = decode((const unsigned char *)text + at, length - at);
        columns += columns_of(&c);
        at += c.length;
    }
    return columns;
}

size_t lt_fit_start(const char *text, size_t columns) {
    size_t length = strlen(text), at = 0;
    while (at < length) {
        struct character c = decode((const unsigned char *)text + at, length - at);
        if (columns_of(&c) > columns)
            break;
        columns -= columns_of(&c);
        at += c.length;
    }
    return at;
}

size_t lt_fit_end(const char *text, size_t columns) {
    size_t length = strlen(text), at = 0, width = lt_escaped_width(text, length);
    while (at < length && width > columns) {
        struct character c = decode((const unsigned char *)text + at, length - at);
        width -= columns_of(&c);
        at += c.length;
    }
    return length - at;
}
