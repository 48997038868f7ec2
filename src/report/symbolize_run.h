/* What all modules of one symbolizer share: the options, the names, and the two ways to talk to whoever asked. */
#ifndef LT_REPORT_SYMBOLIZE_RUN_H
#define LT_REPORT_SYMBOLIZE_RUN_H

#include "report/symbolize.h"
#include "report/symbolize_names.h"

struct lt_symbol_run {
    struct lt_symbolizer_options options; /* symfs and debug_dirs are not used: they live on below, made absolute */
    char *symfs;                          /* NULL none */
    char **debug_dirs;                    /* where .build-id folders are, in search order; NULL-terminated */
    char *debuginfo_path;                 /* the same for libdw (see dwfl_standard_find_debuginfo) */
    bool use_debuginfod;                  /* wanted, and DEBUGINFOD_URLS names a server */
    struct lt_symbol_names names;
    struct lt_symbolizer_progress progress;
};

/* Returns 0 or -ENOMEM; lt_symbol_run_close works after either. Directories that are not there are warned about. */
LT_STATUS lt_symbol_run_open(struct lt_symbol_run *run, const struct lt_symbolizer_options *options);
void lt_symbol_run_close(struct lt_symbol_run *run);

/* Hands one line to the caller's `warn`. */
void lt_symbol_warn(struct lt_symbol_run *run, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Hands run->progress to the caller's `progress`. */
void lt_symbol_progress(struct lt_symbol_run *run);

#endif
