/* The reader with every one of its allocations failing in turn: -ENOMEM, said in words, and nothing leaks or crashes.
 */
#include "dump/reader.h"
#include "support/make_dump.h"

#include "unit.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

void *__real_malloc(size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_realloc(void *old, size_t size);

static unsigned allocations_left; /* 0 = no limit */
static unsigned allocations;

static bool refused(void) {
    allocations++;
    return allocations_left && --allocations_left == 0;
}

void *__wrap_malloc(size_t size) {
    return refused() ? NULL : __real_malloc(size);
}

void *__wrap_realloc(void *old, size_t size) {
    return refused() ? NULL : __real_realloc(old, size);
}

static const char description[] = "process exe=/a arg=a option=b note=c\nmodule a segment=0/1/2/3\nsnapshot\n"
                                  "site heap a+1 live=1/1 age=0:1/1\nblock 0x10 heap a+1 size=1\n"
                                  "counter untracked x 1\nsnapshot\nsnapshot\nsnapshot\n";

static void every_allocation_may_fail(void **state) {
    struct lt_made_dump made = lt_make_dump(description);
    struct lt_dump dump;
    (void)state;
    allocations = 0;
    assert_int_equal(lt_dump_parse(&dump, made.bytes, made.size), 0);
    const unsigned needed = allocations;
    lt_dump_free(&dump);
    assert_true(needed >= 10); /* names, two dictionaries, three lists of texts, rows of three types, snapshots */
    for (unsigned n = 1; n <= needed; n++) {
        allocations_left = n;
        assert_int_equal(lt_dump_parse(&dump, made.bytes, made.size), -ENOMEM);
        allocations_left = 0;
        assert_int_equal(dump.end, LT_DUMP_UNREADABLE);
        assert_non_null(strstr(dump.end_reason, "not enough memory"));
        assert_non_null(dump.process.argv);
        lt_dump_free(&dump);
    }
    lt_made_dump_free(&made);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(every_allocation_may_fail),
};
LT_UNIT_MAIN(tests)
