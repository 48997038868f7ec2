#include "preload/output_name.h"

bool lt_output_name_has_pid(const char *pattern) {
    for (; *pattern; pattern++)
        if (*pattern == '%' && *++pattern == 'p')
            return true;
        else if (!*pattern)
            return false;
    return false;
}

static void put_word(struct lt_fmt *out, const char *word) {
    for (; *word; word++)
        lt_fmt_char(out, *word == '/' ? '_' : *word);
}

static void put_number(struct lt_fmt *out, uint64_t number, unsigned digits) {
    for (uint64_t limit = 10; digits > 1; digits--, limit *= 10)
        if (number < limit) {
            for (; digits > 1; digits--)
                lt_fmt_char(out, '0');
            break;
        }
    lt_fmt_unsigned(out, number);
}

/* Days since 1970 to a date: "civil_from_days" of Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms". Years
 * begin in March, so that a leap day is a year's last. */
static void put_date(struct lt_fmt *out, uint64_t days) {
    const uint64_t z = days + 719468, era = z / 146097, day_of_era = z % 146097;
    const uint64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    const uint64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    const uint64_t shifted = (5 * day_of_year + 2) / 153; /* 0 is March */
    const uint64_t month = shifted < 10 ? shifted + 3 : shifted - 9;
    put_number(out, year_of_era + era * 400 + (month <= 2), 4);
    put_number(out, month, 2);
    put_number(out, day_of_year - (153 * shifted + 2) / 5 + 1, 2);
}

static void put_time(struct lt_fmt *out, uint64_t wall_s) {
    const uint64_t second = wall_s % 86400;
    put_date(out, wall_s / 86400);
    lt_fmt_char(out, 'T');
    put_number(out, second / 3600, 2);
    put_number(out, second / 60 % 60, 2);
    put_number(out, second % 60, 2);
    lt_fmt_char(out, 'Z');
}

/* Whether `letter` stands for something; then that is appended. */
static bool put_letter(struct lt_fmt *out, char letter, const struct lt_output_words *words) {
    switch (letter) {
    case 'e':
        put_word(out, words->program);
        return true;
    case 'h':
        put_word(out, words->host);
        return true;
    case 'p':
        lt_fmt_signed(out, words->pid);
        return true;
    case 't':
        put_time(out, words->start_wall_s);
        return true;
    case '%':
        lt_fmt_char(out, '%');
        return true;
    default:
        return false;
    }
}

void lt_output_name(struct lt_fmt *out, const char *pattern, const struct lt_output_words *words) {
    if (pattern[0] != '/') {
        lt_fmt_text(out, words->directory);
        if (out->length && out->text[out->length - 1] != '/')
            lt_fmt_char(out, '/');
    }
    for (; *pattern; pattern++)
        if (*pattern == '%' && put_letter(out, pattern[1], words))
            pattern++;
        else
            lt_fmt_char(out, *pattern);
}
