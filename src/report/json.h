/* Writes JSON (RFC 8259) to a stream: the writer puts commas, colons, line breaks and indentation; the caller names
 * what comes. Every string goes through escape.h, so that any bytes give valid JSON.
 *
 *     lt_json_object(&json, NULL);            {
 *     lt_json_number(&json, "pid", 7);          "pid": 7,
 *     lt_json_array(&json, "argv");             "argv": [
 *     lt_json_string(&json, NULL, "a");           "a"
 *     lt_json_end(&json);                       ]
 *     lt_json_end(&json);                     }
 */
#ifndef LT_REPORT_JSON_H
#define LT_REPORT_JSON_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum { LT_JSON_DEPTH = 16 };

struct lt_json {
    FILE *out;
    unsigned depth;
    char closers[LT_JSON_DEPTH]; /* of the open objects and arrays */
    bool empty[LT_JSON_DEPTH];   /* nothing inside yet */
    unsigned flat;               /* > 0: the depth from which on everything stands on one line */
};

void lt_json_init(struct lt_json *, FILE *);

/* `name` is the member's name, or NULL inside an array and at the top. */
void lt_json_object(struct lt_json *, const char *name);
void lt_json_array(struct lt_json *, const char *name);
void lt_json_flat_object(struct lt_json *, const char *name); /* the same, on one line with all that is in it */
void lt_json_end(struct lt_json *); /* closes the innermost; a line feed after the outermost */

void lt_json_string(struct lt_json *, const char *name, const char *value); /* NULL gives null */
void lt_json_number(struct lt_json *, const char *name, uint64_t);
void lt_json_signed(struct lt_json *, const char *name, int64_t);
void lt_json_bool(struct lt_json *, const char *name, bool);
void lt_json_hex(struct lt_json *, const char *name, uint64_t);                       /* "00000000000000ff" */
void lt_json_bytes(struct lt_json *, const char *name, const uint8_t *, size_t size); /* "0123ab"; size 0 gives null */
void lt_json_seconds(struct lt_json *, const char *name, uint64_t ns);                /* 12.345678 */

#endif
