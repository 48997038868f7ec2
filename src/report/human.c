#include "report/human.h"

#include "base/attrs.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char *const size_units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};

static struct lt_human size_with_sign(const char *sign, uint64_t bytes) {
    struct lt_human result;
    double value = (double)bytes;
    size_t unit = 0;
    /* 1023.95 would be printed as 1024.0 */
    while (value >= (unit ? 1023.95 : 1024) && unit + 1 < LT_ARRAY_SIZE(size_units)) {
        value /= 1024;
        unit++;
    }
    snprintf(result.text, sizeof result.text, "%s%.*f %s", sign, unit ? 1 : 0, value, size_units[unit]);
    return result;
}

struct lt_human lt_human_size(uint64_t bytes) {
    return size_with_sign("", bytes);
}

struct lt_human lt_human_size_change(int64_t bytes) {
    uint64_t size = bytes < 0 ? -(uint64_t)bytes : (uint64_t)bytes;
    return size_with_sign(bytes < 0 ? "-" : bytes > 0 ? "+" : "", size);
}

struct lt_human lt_human_count_change(int64_t count) {
    struct lt_human result;
    snprintf(result.text, sizeof result.text, count ? "%+" PRId64 : "%" PRId64, count);
    return result;
}

struct lt_human lt_human_count(uint64_t count, const char *noun) {
    struct lt_human result;
    snprintf(result.text, sizeof result.text, "%" PRIu64 " %s%s", count, noun, count == 1 ? "" : "s");
    return result;
}

struct lt_human lt_human_share(uint64_t part, uint64_t whole) {
    struct lt_human result;
    double percent = whole ? (double)part / (double)whole * 100 : 0;
    if (part == whole && whole)
        snprintf(result.text, sizeof result.text, "100 %%");
    else if (part == 0 || whole == 0)
        snprintf(result.text, sizeof result.text, "0 %%");
    else if (percent < 0.1)
        snprintf(result.text, sizeof result.text, "< 0.1 %%");
    else if (percent > 99.9 && part < whole)
        snprintf(result.text, sizeof result.text, "> 99.9 %%");
    else
        snprintf(result.text, sizeof result.text, "%.1f %%", percent);
    return result;
}

struct lt_human lt_human_duration(uint64_t centiseconds) {
    struct lt_human result;
    const uint64_t cs = centiseconds;
    uint64_t s = cs / 100, minutes = s / 60, hours = minutes / 60, days = hours / 24;
    if (cs < 100 && cs)
        snprintf(result.text, sizeof result.text, "0.%02u s", (unsigned)cs);
    else if (s < 60 && cs % 100 / 10)
        snprintf(result.text, sizeof result.text, "%u.%u s", (unsigned)s, (unsigned)(cs % 100 / 10));
    else if (s < 60)
        snprintf(result.text, sizeof result.text, "%u s", (unsigned)s);
    else if (minutes < 60 && s % 60)
        snprintf(result.text, sizeof result.text, "%u min %u s", (unsigned)minutes, (unsigned)(s % 60));
    else if (minutes < 60)
        snprintf(result.text, sizeof result.text, "%u min", (unsigned)minutes);
    else if (hours < 48)
        snprintf(result.text, sizeof result.text, "%u h %u min", (unsigned)hours, (unsigned)(minutes % 60));
    else
        snprintf(result.text, sizeof result.text, "%" PRIu64 " d %u h", days, (unsigned)(hours % 24));
    return result;
}

struct lt_human lt_human_time(uint64_t wall_ns) {
    struct lt_human result;
    struct tm tm;
    time_t seconds = (time_t)(wall_ns / 1000000000);
    if (!gmtime_r(&seconds, &tm) || !strftime(result.text, sizeof result.text, "%Y-%m-%d %H:%M:%S UTC", &tm))
        snprintf(result.text, sizeof result.text, "unknown time");
    return result;
}

struct unit {
    const char *word;
    double factor;
};

/* A non-negative decimal number, with one of the units behind it. */
static int parse_quantity(const char *text, const struct unit *units, size_t count, uint64_t *result) {
    char *end;
    if (!isdigit((unsigned char)text[0]) || (text[0] == '0' && (text[1] == 'x' || text[1] == 'X')))
        return -EINVAL;
    double value = strtod(text, &end);
    end += strspn(end, " ");
    for (size_t i = 0; i < count; i++) {
        if (strcasecmp(end, units[i].word) != 0)
            continue;
        value *= units[i].factor;
        if (!(value < 9.2e18))
            return -EINVAL;
        *result = (uint64_t)value;
        return 0;
    }
    return -EINVAL;
}

int lt_parse_size(const char *text, uint64_t *bytes) {
    static const struct unit units[] = {{"", 1},         {"B", 1},       {"K", 0x1p10},   {"KB", 0x1p10},
                                        {"KiB", 0x1p10}, {"M", 0x1p20},  {"MB", 0x1p20},  {"MiB", 0x1p20},
                                        {"G", 0x1p30},   {"GB", 0x1p30}, {"GiB", 0x1p30}, {"T", 0x1p40},
                                        {"TB", 0x1p40},  {"TiB", 0x1p40}};
    return parse_quantity(text, units, LT_ARRAY_SIZE(units), bytes);
}

int lt_parse_duration(const char *text, uint64_t *centiseconds) {
    static const struct unit units[] = {{"", 100},     {"s", 100},    {"m", 6000},
                                        {"min", 6000}, {"h", 360000}, {"d", 8640000}};
    return parse_quantity(text, units, LT_ARRAY_SIZE(units), centiseconds);
}

int lt_parse_number(const char *text, uint64_t *number) {
    char *end;
    if (!isdigit((unsigned char)text[0]))
        return -EINVAL;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (errno || *end)
        return -EINVAL;
    *number = value;
    return 0;
}
