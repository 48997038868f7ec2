/* Makes every CRC and every END of a damaged dump right, so that a fuzzer gets behind them. */
#ifndef LT_TESTS_FUZZ_MEND_DUMP_H
#define LT_TESTS_FUZZ_MEND_DUMP_H

#include <stddef.h>
#include <stdint.h>

void lt_mend_dump(uint8_t *data, size_t size);

#endif
