/* The median of some rounds' figures. Sorts them. */
#ifndef LT_TESTS_BENCH_MEDIAN_H
#define LT_TESTS_BENCH_MEDIAN_H

#include <stdlib.h>

static inline int by_size(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static inline double median(double *numbers, int count) {
    qsort(numbers, (size_t)count, sizeof *numbers, by_size);
    return numbers[count / 2];
}

#endif
