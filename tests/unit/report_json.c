/* The JSON writer. */
#include "report/json.h"

#include "unit.h"

#include <stdlib.h>
#include <string.h>

static void writes_every_kind_of_value(void **state) {
    char *text = NULL;
    size_t size;
    struct lt_json json;
    (void)state;
    lt_json_init(&json, open_memstream(&text, &size));
    lt_json_object(&json, NULL);
    lt_json_string(&json, "text", "a\"b\xff");
    lt_json_string(&json, "none", NULL);
    lt_json_number(&json, "most", UINT64_MAX);
    lt_json_signed(&json, "least", INT64_MIN);
    lt_json_bool(&json, "yes", true);
    lt_json_hex(&json, "id", 0xff);
    lt_json_bytes(&json, "build_id", (const uint8_t *)"\x01\xab", 2);
    lt_json_bytes(&json, "no_build_id", NULL, 0);
    lt_json_seconds(&json, "time", 1700000000123456789);
    lt_json_array(&json, "empty");
    lt_json_end(&json);
    lt_json_array(&json, "rows");
    lt_json_flat_object(&json, NULL);
    lt_json_number(&json, "a", 1);
    lt_json_array(&json, "b");
    lt_json_number(&json, NULL, 2);
    lt_json_number(&json, NULL, 3);
    lt_json_end(&json);
    lt_json_end(&json);
    lt_json_number(&json, NULL, 4);
    lt_json_end(&json);
    lt_json_end(&json);
    fclose(json.out);
    assert_string_equal(text, "{\n"
                              " \"text\": \"a\\\"b\\\\xff\",\n"
                              " \"none\": null,\n"
                              " \"most\": 18446744073709551615,\n"
                              " \"least\": -9223372036854775808,\n"
                              " \"yes\": true,\n"
                              " \"id\": \"00000000000000ff\",\n"
                              " \"build_id\": \"01ab\",\n"
                              " \"no_build_id\": null,\n"
                              " \"time\": 1700000000.123456,\n"
                              " \"empty\": [],\n"
                              " \"rows\": [\n"
                              "  {\"a\": 1, \"b\": [2, 3]},\n"
                              "  4\n"
                              " ]\n"
                              "}\n");
    free(text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_every_kind_of_value),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
