/* A folder of its own in which a test makes its sample programs with whatever compilers and tools are installed. */
#ifndef LT_TESTS_SYMBOLIZE_SHOP_H
#define LT_TESTS_SYMBOLIZE_SHOP_H

#include "dump/reader.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SHOP_PATH_MAX = 512 };

/* Makes the folder, and removes it with all that is in it. As cmocka's group setup and teardown. */
int shop_open(void **state);
int shop_close(void **state);

/* The absolute path of a file in the shop: from a ring of 8 buffers. */
const char *shop_path(const char *name);

/* Runs a shell command in the shop; `$S` is the folder of sample sources. Returns whether it ended well; if not, prints
 * what it said. */
bool shop_try(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The same, but the test fails with it. */
void shop_run(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Skips the running test, with a printed reason, unless all of the programs (separated by blanks) are installed. */
void shop_need(const char *programs);
bool shop_has(const char *program);

/* For main: false, with a printed reason, unless all of the programs are installed. The test then returns 77 (skipped).
 */
bool shop_can_run(const char *programs);

/* A module as a dump records it: with the file's build-id, size and time. What it points to lives until shop_close. */
struct lt_dump_module shop_module(const char *path);

/* Addresses inside the functions of the symbol table, at most `max` of them, spread evenly. Returns their number. */
size_t shop_code_addresses(const char *path, uint64_t *addresses, size_t max);

/* The address of the first instruction of that function; the test fails where there is none. */
uint64_t shop_function(const char *path, const char *name);

#endif
