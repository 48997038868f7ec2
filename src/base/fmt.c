#include "base/fmt.h"

#include <string.h>

struct lt_fmt lt_fmt(char *buffer, size_t size) {
    buffer[0] = '\0';
    return (struct lt_fmt){.text = buffer, .size = size};
}

void lt_fmt_bytes(struct lt_fmt *f, const char *bytes, size_t size) {
    size_t room = f->size - 1 - f->length;
    if (size > room) {
        size = room;
        f->cut = true;
    }
    memcpy(f->text + f->length, bytes, size);
    f->length += size;
    f->text[f->length] = '\0';
}

void lt_fmt_text(struct lt_fmt *f, const char *text) {
    lt_fmt_bytes(f, text, strlen(text));
}

void lt_fmt_char(struct lt_fmt *f, char c) {
    lt_fmt_bytes(f, &c, 1);
}

static void put_number(struct lt_fmt *f, uint64_t value, unsigned base, unsigned digits) {
    char reversed[20]; /* 2^64 has 20 decimal digits */
    char *at = reversed + sizeof reversed;
    char *least = at - digits;
    do {
        *--at = "0123456789abcdef"[value % base];
        value /= base;
    } while (value || at > least);
    lt_fmt_bytes(f, at, (size_t)(reversed + sizeof reversed - at));
}

void lt_fmt_unsigned(struct lt_fmt *f, uint64_t value) {
    put_number(f, value, 10, 1);
}

void lt_fmt_signed(struct lt_fmt *f, int64_t value) {
    if (value < 0)
        lt_fmt_char(f, '-');
    put_number(f, value < 0 ? 0 - (uint64_t)value : (uint64_t)value, 10, 1);
}

void lt_fmt_hex(struct lt_fmt *f, uint64_t value, unsigned digits) {
    lt_fmt_text(f, "0x");
    put_number(f, value, 16, digits > 16 ? 16 : digits);
}

void lt_fmt_status(struct lt_fmt *f, int status) {
    unsigned number = status < 0 ? 0 - (unsigned)status : (unsigned)status;
    const char *name = strerrorname_np((int)number);
    if (!number) {
        lt_fmt_text(f, "success");
    } else if (!name) {
        lt_fmt_text(f, "errno ");
        lt_fmt_unsigned(f, number);
    } else {
        lt_fmt_text(f, name);
        lt_fmt_text(f, ": ");
        lt_fmt_text(f, strerrordesc_np((int)number));
    }
}
