/* The debug information of one file: in it, beside it, in a debug directory, or on a debuginfod server. libdw does the
 * finding (build-id, .gnu_debuglink, .gnu_debugaltlink, MiniDebugInfo); this adds progress and says what went wrong. */
#ifndef LT_REPORT_FIND_DEBUG_H
#define LT_REPORT_FIND_DEBUG_H

#include "report/symbolize_ranges.h"
#include "report/symbolize_run.h"

#include <elfutils/libdwfl.h>

struct lt_debug_file {
    Dwfl *dwfl;
    Dwfl_Module *module;
    Dwfl_Callbacks callbacks; /* libdwfl keeps a pointer to it: the struct must not move */
    Elf *elf;
    uint64_t bias;         /* address in Dwfl = vaddr + bias */
    struct lt_ranges code; /* executable segments, vaddr */
};

/* Opens the ELF file behind `fd`, which it takes over, and finds its executable segments. `path` is where debug files
 * are looked for from. Returns 0, -ENOMEM, or -ENOEXEC for a damaged file. lt_debug_file_close works after any of them.
 */
LT_STATUS lt_debug_file_open(struct lt_debug_file *file, struct lt_symbol_run *run, int fd, const char *path);
void lt_debug_file_close(struct lt_debug_file *file);

/* Its DWARF, or NULL. *delta: address in the DWARF = vaddr + *delta. May take long: a server may be asked. */
Dwarf *lt_debug_file_dwarf(struct lt_debug_file *file, struct lt_symbol_run *run, uint64_t *delta);

/* Whether debug sections are compressed in a way that this machine's libelf can't undo (zstd before elfutils 0.189).
 * Ask after lt_debug_file_dwarf. */
bool lt_debug_file_has_unknown_compression(struct lt_debug_file *file);

#endif
