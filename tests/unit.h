/* What every unit test includes: cmocka with the headers it wants in front, skipping with a reason, a main of
 * one line. LT_SANITIZED (from the build) is 1 under AddressSanitizer. */
#ifndef LT_TESTS_UNIT_H
#define LT_TESTS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* Leaves the test undone, and says why. */
#define lt_skip_when(condition, reason)                                                                                \
    do {                                                                                                               \
        if (condition) {                                                                                               \
            print_message("skipped: %s\n", reason);                                                                    \
            skip();                                                                                                    \
        }                                                                                                              \
    } while (0)

#define LT_UNIT_MAIN(tests)                                                                                            \
    int main(void) {                                                                                                   \
        return cmocka_run_group_tests(tests, NULL, NULL);                                                              \
    }

#endif
