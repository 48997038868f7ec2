/* The command line of leaktrack-report; options.def lists it. */
#ifndef LT_REPORT_OPTIONS_H
#define LT_REPORT_OPTIONS_H

#include "report/filter.h"
#include "report/policy.h"
#include "report/table.h"
#include "report/terminal.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum lt_format { LT_FORMAT_TEXT, LT_FORMAT_JSON };

enum { LT_ALL_ROWS = 0, LT_TEXT_ROWS = 10 };

struct lt_options {
    const char *dump, *base, *output;
    int64_t snapshot, base_snapshot; /* as lt_find_snapshot takes them */
    bool has_base_snapshot, has_sort, has_top, request, list, no_inlines, no_debuginfod;
    struct lt_selection selection;
    struct lt_filter filter;
    enum lt_by by;
    enum lt_sort sort;
    uint64_t top; /* LT_ALL_ROWS, or so many */
    enum lt_format format;
    enum lt_color color;
    struct lt_policy *policies;
    size_t policy_count;
    const char *symfs;
    const char **debug_dirs;
    size_t debug_dir_count;
};

enum lt_parsed {
    LT_PARSED_REPORT,  /* go on */
    LT_PARSED_HELP,    /* print lt_print_help and end */
    LT_PARSED_VERSION, /* print the version and end */
    LT_PARSED_WRONG,   /* what is wrong has been said */
};

/* Reads the command line. Strings in *options point into argv. */
enum lt_parsed lt_options_parse(struct lt_options *, int argc, char **argv);
void lt_options_free(struct lt_options *);

/* Whether two snapshots are to be compared. */
bool lt_is_comparison(const struct lt_options *);

void lt_print_help(FILE *);

#endif
