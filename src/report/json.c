#include "report/json.h"

#include "report/escape.h"

#include <assert.h>
#include <inttypes.h>

void lt_json_init(struct lt_json *json, FILE *out) {
    *json = (struct lt_json){.out = out};
}

static void put_break(struct lt_json *json) {
    if (json->flat)
        return;
    putc_unlocked('\n', json->out);
    for (unsigned i = 0; i < json->depth; i++)
        putc_unlocked(' ', json->out);
}

/* What stands before a value: comma, line break, name. */
static void put_lead(struct lt_json *json, const char *name) {
    if (json->depth) {
        if (!json->empty[json->depth - 1])
            fputs(json->flat ? ", " : ",", json->out);
        json->empty[json->depth - 1] = false;
        put_break(json);
    }
    if (name) {
        putc_unlocked('"', json->out);
        lt_escape(json->out, name, LT_ESCAPE_JSON);
        fputs("\": ", json->out);
    }
}

static void begin(struct lt_json *json, const char *name, char opener, char closer) {
    assert(json->depth < LT_JSON_DEPTH);
    put_lead(json, name);
    putc_unlocked(opener, json->out);
    json->closers[json->depth] = closer;
    json->empty[json->depth] = true;
    json->depth++;
}

void lt_json_object(struct lt_json *json, const char *name) {
    begin(json, name, '{', '}');
}

void lt_json_array(struct lt_json *json, const char *name) {
    begin(json, name, '[', ']');
}

void lt_json_flat_object(struct lt_json *json, const char *name) {
    begin(json, name, '{', '}');
    if (!json->flat)
        json->flat = json->depth;
}

void lt_json_end(struct lt_json *json) {
    assert(json->depth);
    json->depth--;
    if (!json->empty[json->depth])
        put_break(json);
    putc_unlocked(json->closers[json->depth], json->out);
    if (json->depth < json->flat)
        json->flat = 0;
    if (json->depth == 0)
        putc_unlocked('\n', json->out);
}

void lt_json_string(struct lt_json *json, const char *name, const char *value) {
    put_lead(json, name);
    if (!value) {
        fputs("null", json->out);
        return;
    }
    putc_unlocked('"', json->out);
    lt_escape(json->out, value, LT_ESCAPE_JSON);
    putc_unlocked('"', json->out);
}

void lt_json_number(struct lt_json *json, const char *name, uint64_t value) {
    char text[24], *at = text + sizeof text;
    put_lead(json, name);
    do
        *--at = (char)('0' + value % 10);
    while (value /= 10);
    fwrite_unlocked(at, 1, (size_t)(text + sizeof text - at), json->out);
}

void lt_json_signed(struct lt_json *json, const char *name, int64_t value) {
    put_lead(json, name);
    fprintf(json->out, "%" PRId64, value);
}

void lt_json_bool(struct lt_json *json, const char *name, bool value) {
    put_lead(json, name);
    fputs(value ? "true" : "false", json->out);
}

void lt_json_hex(struct lt_json *json, const char *name, uint64_t value) {
    put_lead(json, name);
    fprintf(json->out, "\"%016" PRIx64 "\"", value);
}

void lt_json_bytes(struct lt_json *json, const char *name, const uint8_t *bytes, size_t size) {
    put_lead(json, name);
    if (!size) {
        fputs("null", json->out);
        return;
    }
    static const char digits[] = "0123456789abcdef";
    putc_unlocked('"', json->out);
    for (size_t i = 0; i < size; i++) {
        putc_unlocked(digits[bytes[i] >> 4], json->out);
        putc_unlocked(digits[bytes[i] & 15], json->out);
    }
    putc_unlocked('"', json->out);
}

void lt_json_seconds(struct lt_json *json, const char *name, uint64_t ns) {
    put_lead(json, name);
    fprintf(json->out, "%" PRIu64 ".%06u", ns / 1000000000, (unsigned)(ns % 1000000000 / 1000));
}
