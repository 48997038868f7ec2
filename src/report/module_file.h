/* Finds the file that a module was loaded from, on this machine, and makes sure that it is that file and not another
 * build. */
#ifndef LT_REPORT_MODULE_FILE_H
#define LT_REPORT_MODULE_FILE_H

#include "dump/reader.h"
#include "report/symbolize_run.h"

enum lt_module_verdict {
    LT_MODULE_FOUND,
    LT_MODULE_MISSING,        /* no such file anywhere */
    LT_MODULE_UNREADABLE,     /* a file is there, but it can't be opened or used */
    LT_MODULE_OTHER_BUILD_ID, /* a file is there, and it has another build-id, or none */
    LT_MODULE_OTHER_FILE,     /* the module has no build-id, and the file there has another size or time */
};

struct lt_module_file {
    enum lt_module_verdict verdict;
    int fd;     /* where FOUND, open for reading; else -1. The caller closes it. */
    char *path; /* where FOUND, what was opened; else NULL. The caller frees it. */
    int error; /* where UNREADABLE, why a file could not be opened (errno number), or 0: it is no ELF program or library
                */
};

/* Searches in this order, first match wins: symfs + path, symfs + file name; the path itself; the build-id in the debug
 * directories (the file, then its separate debug file, which has symbols and lines too); a debuginfod server if
 * asked for. A match has the module's build-id; where the module has none, the recorded size, and at the recorded path
 * also the recorded time. */
struct lt_module_file lt_module_file_find(struct lt_symbol_run *run, const struct lt_dump_module *module);

#endif
