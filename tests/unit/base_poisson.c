/* The draw and the weights against libm and against the distribution that they promise. The numbers come from a fixed
 * seed: nothing here depends on luck. */
#include "base/poisson.h"

#include "base/hash.h"

#include "unit.h"

#include <math.h>
#include <stdio.h>

enum { DRAWS = 1000000, CLASSES = 50 };

static const uint64_t means[] = {1, 7, 4096, 512 << 10, 64 << 20, 1 << 30};

static uint64_t numbers;

static uint64_t next_number(void) {
    return lt_hash_mix(numbers += 0x9e3779b97f4a7c15u);
}

/* Within the stated error of -ln(u) * mean, where u is what `random` stands for in 0 .. 1. */
static void check_distance(uint64_t random, uint64_t mean) {
    const long double u = ldexpl((long double)(random | 1), -64);
    const long double exact = -logl(u) * (long double)mean, error = ldexpl((long double)mean, -38);
    const uint64_t distance = lt_poisson_distance(random, mean);
    if ((long double)distance > exact + error || (long double)distance < exact - error - 1)
        fail_msg("random %#llx, mean %llu: %llu instead of %Lf", (unsigned long long)random, (unsigned long long)mean,
                 (unsigned long long)distance, exact);
}

static void distances_are_logarithms(void **state) {
    (void)state;
    for (size_t m = 0; m < sizeof means / sizeof means[0]; m++) {
        for (unsigned bit = 0; bit < 64; bit++) {
            check_distance((uint64_t)1 << bit, means[m]);
            check_distance(((uint64_t)1 << bit) - 1, means[m]);
            check_distance(((uint64_t)3 << bit) + 1, means[m]);
        }
        check_distance(UINT64_MAX, means[m]);
        for (unsigned i = 0; i < 20000; i++)
            check_distance(next_number(), means[m]);
    }
}

/* Rounded down, the mean of the distances is 1 / (exp(1 / mean) - 1). */
static void their_mean_is_right(void **state) {
    (void)state;
    for (size_t m = 0; m < sizeof means / sizeof means[0]; m++) {
        const double expected = 1 / expm1(1 / (double)means[m]), deviation = sqrt(expected * (expected + 1));
        double sum = 0;
        numbers = m;
        for (unsigned i = 0; i < DRAWS; i++)
            sum += (double)lt_poisson_distance(next_number(), means[m]);
        const double errors = fabs(sum / DRAWS - expected) / (deviation / sqrt(DRAWS));
        if (errors > 4)
            fail_msg("mean %llu: %f instead of %f, %f standard errors away", (unsigned long long)means[m], sum / DRAWS,
                     expected, errors);
    }
}

/* Chi-square over classes of equal chance. With 49 degrees of freedom it is below 94 but in one of 10,000 cases. */
static void they_are_distributed_exponentially(void **state) {
    (void)state;
    const double mean = 1 << 30; /* so large that rounding down tells nothing */
    double counts[CLASSES] = {0}, chi2 = 0;
    numbers = 42;
    for (unsigned i = 0; i < DRAWS; i++) {
        const double share = -expm1(-(double)lt_poisson_distance(next_number(), 1 << 30) / mean);
        counts[(unsigned)(share * CLASSES)]++;
    }
    for (unsigned c = 0; c < CLASSES; c++)
        chi2 += pow(counts[c] - (double)DRAWS / CLASSES, 2) / ((double)DRAWS / CLASSES);
    if (chi2 > 94)
        fail_msg("chi-square is %f", chi2);
}

static void check_close(const char *what, double found, double expected, double relative, double absolute) {
    if (fabs(found - expected) > expected * relative + absolute)
        fail_msg("%s: %.17g instead of %.17g", what, found, expected);
}

static void check_weight(uint64_t size, uint64_t mean) {
    const struct lt_weight weight = lt_poisson_weight(size, mean);
    const double s = (double)size, m = (double)mean, p = -expm1(-fmax(s, 1) / m);
    char what[128];
    snprintf(what, sizeof what, "size %llu, mean %llu", (unsigned long long)size, (unsigned long long)mean);
    check_close(what, (double)weight.count / 4096, 1 / p, 0x1p-31, 0x1p-12);
    check_close(what, (double)weight.bytes / 256, s / p, 0x1p-31, 0x1p-8);
    /* the variances are made of the rounded weights */
    const double w = (double)weight.count / 4096, b = (double)weight.bytes / 256;
    check_close(what, (double)weight.count_variance / 256, fmin(w * (w - 1), 0x1p56), 0x1p-30, 0x1p-8);
    check_close(what, (double)weight.bytes_variance / 65536 * m * m, b * (b - s), 0x1p-30, m * m / 65536);
    check_close(what, w * (w - 1), (1 - p) / p / p, 0x1p-10, 0x1p-11);
}

static void weights_are_those_of_libm(void **state) {
    (void)state;
    for (size_t m = 0; m < sizeof means / sizeof means[0]; m++) {
        for (uint64_t size = 0; size < 300; size++)
            check_weight(size, means[m]);
        for (unsigned bit = 8; bit < 48; bit++) {
            check_weight((uint64_t)1 << bit, means[m]);
            check_weight((((uint64_t)1 << bit) - 1) ^ (next_number() & ((1u << (bit / 2)) - 1)), means[m]);
        }
        for (uint64_t tenths = 1; tenths < 600; tenths++)
            check_weight(means[m] * tenths / 10, means[m]);
    }
}

static void sums_of_variances_saturate(void **state) {
    (void)state;
    assert_int_equal(lt_poisson_weight(1, 1 << 30).count_variance, UINT64_MAX);
    assert_true(lt_saturated_sum(UINT64_MAX, 1) == UINT64_MAX);
    assert_true(lt_saturated_sum(UINT64_MAX - 1, 1) == UINT64_MAX);
    assert_true(lt_saturated_sum(2, 3) == 5);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(distances_are_logarithms),           cmocka_unit_test(their_mean_is_right),
        cmocka_unit_test(they_are_distributed_exponentially), cmocka_unit_test(weights_are_those_of_libm),
        cmocka_unit_test(sums_of_variances_saturate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
