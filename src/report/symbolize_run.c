/* Options, made into search paths once. libdw takes its search path as one string with colons, so a directory with a
 * colon in its name serves look-ups by build-id only. */
#include "report/symbolize_run.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char SYSTEM_DEBUG_DIR[] = "/usr/lib/debug";

void lt_symbol_warn(struct lt_symbol_run *run, const char *format, ...) {
    if (!run->options.warn)
        return;
    char *line;
    va_list arguments;
    va_start(arguments, format);
    int length = vasprintf(&line, format, arguments);
    va_end(arguments);
    if (length < 0)
        return;
    run->options.warn(run->options.user, line);
    free(line);
}

void lt_symbol_progress(struct lt_symbol_run *run) {
    if (run->options.progress)
        run->options.progress(run->options.user, &run->progress);
}

/* The directory's absolute path, or NULL (with a line about it) where it can't be used. Symbolic links stay in it: what
 * /proc/PID/root names is the tree of another container, while the link's own text says "/". */
static char *absolute_directory(struct lt_symbol_run *run, const char *directory) {
    char *absolute = NULL, *here = directory[0] == '/' ? strdup("") : getcwd(NULL, 0);
    if (access(directory, X_OK) != 0)
        lt_symbol_warn(run, "directory %s is not searched: %s", directory, strerror(errno));
    else if (here && asprintf(&absolute, "%s%s%s", here, here[0] ? "/" : "", directory) < 0)
        absolute = NULL;
    free(here);
    return absolute;
}

static size_t add_symfs_dirs(struct lt_symbol_run *run, size_t count) {
    char *debug = NULL;
    if (!run->symfs)
        return count;
    if (asprintf(&debug, "%s%s", run->symfs, SYSTEM_DEBUG_DIR) >= 0)
        run->debug_dirs[count++] = debug;
    char *symfs = strdup(run->symfs);
    if (symfs)
        run->debug_dirs[count++] = symfs;
    return count;
}

static LT_STATUS list_debug_dirs(struct lt_symbol_run *run, const struct lt_symbolizer_options *options) {
    run->debug_dirs = calloc(options->debug_dir_count + 4, sizeof *run->debug_dirs);
    if (!run->debug_dirs)
        return -ENOMEM;
    size_t count = add_symfs_dirs(run, 0);
    for (size_t i = 0; i < options->debug_dir_count; i++) {
        run->debug_dirs[count] = absolute_directory(run, options->debug_dirs[i]);
        count += run->debug_dirs[count] != NULL;
    }
    run->debug_dirs[count] = strdup(SYSTEM_DEBUG_DIR);
    return run->debug_dirs[count] ? 0 : -ENOMEM;
}

/* "" is the file's own directory, ".debug" a folder there; both come first, as in gdb and elfutils. */
static LT_STATUS write_debuginfo_path(struct lt_symbol_run *run) {
    char *path = strdup(":.debug");
    for (char **dir = run->debug_dirs; path && *dir; dir++) {
        char *longer = NULL;
        if (strchr(*dir, ':'))
            continue;
        if (asprintf(&longer, "%s:%s", path, *dir) < 0)
            longer = NULL;
        free(path);
        path = longer;
    }
    run->debuginfo_path = path;
    return path ? 0 : -ENOMEM;
}

LT_STATUS lt_symbol_run_open(struct lt_symbol_run *run, const struct lt_symbolizer_options *options) {
    *run = (struct lt_symbol_run){.options = *options};
    if (options->no_debuginfod)
        unsetenv("DEBUGINFOD_URLS"); /* libdw has no other switch */
    const char *servers = getenv("DEBUGINFOD_URLS");
    run->use_debuginfod = servers && servers[0];
    if (options->symfs)
        run->symfs = absolute_directory(run, options->symfs);
    int status = list_debug_dirs(run, options);
    return status == 0 ? write_debuginfo_path(run) : status;
}

void lt_symbol_run_close(struct lt_symbol_run *run) {
    for (char **dir = run->debug_dirs; dir && *dir; dir++)
        free(*dir);
    free(run->debug_dirs);
    free(run->debuginfo_path);
    free(run->symfs);
    lt_symbol_names_free(&run->names);
}
