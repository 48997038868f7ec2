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
    fputc('\n', json->out);
    for (unsigned i = 0; i < json->depth; i++)
        fputc(' ', json->out);
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
        fputc('"', json->out);
        lt_escape(json->out, name, LT_ESCAPE_JSON);
        fputs("\": ", json->out);
    }
}

static void open(struct lt_json *json, const char *name, char opener, char closer) {
    assert(json->depth < LT_JSON_DEPTH);
    put_lead(json, name);
    fputc(opener, json->out);
    json->closers[json->depth] = closer;
    json->empty[json->depth] = true;
    json->depth++;
}

void lt_json_object(struct lt_json *json, const char *name) {
    open(json, name, '{', '}');
}

void lt_json_array(struct lt_json *json, const char *name) {
    open(json, name, '[', ']');
}

void lt_json_flat_object(struct lt_json *json, const char *name) {
    open(json, name, '{', '}');
    if (!json->flat)
        json->flat = json->depth;
}

void lt_json_end(struct lt_json *json) {
    assert(json->depth);
    json->depth--;
    if (!json->empty[json->depth])
        put_break(json);
    fputc(json->closers[json->depth], json->out);
    if (json->depth < json->flat)
        json->flat = 0;
    if (json->depth == 0)
        fputc('\n', json->out);
}

void lt_json_string(struct lt_json *json, const char *name, const char *value) {
    put_lead(json, name);
    if (!value) {
        fputs("null", json->out);
        return;
    }
    fputc('"', json->out);
    lt_escape(json->out, value, LT_ESCAPE_JSON);
    fputc('"', json->out);
}

void lt_json_number(struct lt_json *json, const char *name, uint64_t value) {
    put_lead(json, name);
    fprintf(json->out, "%" PRIu64, value);
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
    fputc('"', json->out);
    for (size_t i = 0; i < size; i++)
        fprintf(json->out, "%02x", bytes[i]);
    fputc('"', json->out);
}

void lt_json_seconds(struct lt_json *json, const char *name, uint64_t ns) {
    put_lead(json, name);
    fprintf(json->out, "%" PRIu64 ".%06u", ns / 1000000000, (unsigned)(ns % 1000000000 / 1000));
}
