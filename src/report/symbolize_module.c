/* Opens a module's file, chooses what its names come from, and remembers each answer. */
#include "report/symbolize_module.h"

#include "report/find_debug.h"
#include "report/module_file.h"
#include "report/symbolize_lines.h"

#include <stdlib.h>
#include <string.h>

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

struct answer {
    UT_hash_handle hh;
    uint64_t offset;
    size_t count;
    struct lt_symbol_line lines[];
};

struct identity { /* what two dumps agree on when they mean the same file */
    char *path;
    uint8_t build_id[128];
    size_t build_id_size;
    uint64_t size, mtime_ns;
};

struct lt_symbol_module {
    struct lt_symbol_run *run;
    struct identity identity;
    enum lt_symbol_source source;
    struct lt_debug_file file;
    struct lt_units units;
    struct lt_symtab symtab;
    struct lt_go_table go;
    struct answer *answers;
    bool has_dwarf, said_split;
};

static const struct lt_symbol_line UNKNOWN_LINE;

static bool is_vdso(const char *path) {
    return strcmp(path, "[vdso]") == 0 || strncmp(path, "linux-vdso", 10) == 0 || strncmp(path, "linux-gate", 10) == 0;
}

const char *lt_symbol_module_label(const struct lt_dump_module *module) {
    if (!module || !module->path || !module->path[0])
        return "[anonymous code]";
    return is_vdso(module->path) ? "[vdso]" : module->path;
}

static size_t kept_build_id_size(const struct lt_dump_module *module) {
    return module->build_id_size <= sizeof((struct identity *)0)->build_id ? module->build_id_size : 0;
}

static LT_STATUS keep_identity(struct identity *identity, const struct lt_dump_module *module) {
    static const struct lt_dump_module anonymous;
    if (!module)
        module = &anonymous;
    identity->path = strdup(module->path ? module->path : "");
    identity->build_id_size = kept_build_id_size(module);
    if (identity->build_id_size)
        memcpy(identity->build_id, module->build_id, identity->build_id_size);
    identity->size = module->size;
    identity->mtime_ns = module->mtime_ns;
    return identity->path ? 0 : -1;
}

bool lt_symbol_module_is(const struct lt_symbol_module *module, const struct lt_dump_module *other) {
    const struct identity *identity = &module->identity;
    const char *path = other && other->path ? other->path : "";
    if (strcmp(identity->path, path) != 0)
        return false;
    if (!other)
        return true;
    size_t size = kept_build_id_size(other);
    if (identity->build_id_size != size || (size && memcmp(identity->build_id, other->build_id, size) != 0))
        return false;
    return size || (identity->size == other->size && identity->mtime_ns == other->mtime_ns);
}

enum lt_symbol_source lt_symbol_module_source(const struct lt_symbol_module *module) {
    return module->source;
}

/* What a person reads about a file that could not be used. */
static const char *verdict_words(const struct lt_module_file *file) {
    switch (file->verdict) {
    case LT_MODULE_MISSING:
        return "file not found (--symfs DIR names a copy of the machine's files)";
    case LT_MODULE_OTHER_BUILD_ID:
        return "file on disk has another build-id";
    case LT_MODULE_OTHER_FILE:
        return "file on disk has another size or time than the one that ran, and it has no build-id to go by";
    default:
        return file->error ? strerror(file->error) : "cannot be read as an ELF file";
    }
}

static enum lt_symbol_source refuse_file(struct lt_symbol_module *module, const struct lt_module_file *file) {
    lt_symbol_warn(module->run, "module %s: %s; its frames are shown as module+offset", module->identity.path,
                   verdict_words(file));
    bool is_other = file->verdict == LT_MODULE_OTHER_BUILD_ID || file->verdict == LT_MODULE_OTHER_FILE;
    return is_other ? LT_SYMBOLS_OTHER_FILE : LT_SYMBOLS_NO_FILE;
}

static enum lt_symbol_source read_symbols(struct lt_symbol_module *module) {
    uint64_t delta = 0;
    Dwarf *dwarf = lt_debug_file_dwarf(&module->file, module->run, &delta);
    if (dwarf && lt_units_open(&module->units, dwarf, delta, &module->file.code) != 0)
        module->run->names.out_of_memory = true;
    if (lt_symtab_read(&module->symtab, module->file.module, module->file.bias, &module->file.code) != 0)
        module->run->names.out_of_memory = true;
    if (lt_go_table_open(&module->go, module->file.elf) != 0)
        module->run->names.out_of_memory = true;
    module->has_dwarf = module->units.count > 0;
    if (lt_debug_file_has_unknown_compression(&module->file))
        lt_symbol_warn(module->run,
                       "module %s: its debug information is compressed with zstd, which this machine's elfutils "
                       "can't read: no files and lines (objcopy --decompress-debug-sections helps, or "
                       "elfutils 0.189)",
                       module->identity.path);
    if (module->has_dwarf)
        return LT_SYMBOLS_DEBUG_INFO;
    if (module->go.function_count)
        return LT_SYMBOLS_GO_TABLE;
    return module->symtab.count ? LT_SYMBOLS_SYMBOL_TABLE : LT_SYMBOLS_NONE;
}

static enum lt_symbol_source open_module(struct lt_symbol_module *module, const struct lt_dump_module *asked) {
    const char *path = module->identity.path;
    if (!path[0] || path[0] == '[' || is_vdso(path))
        return LT_SYMBOLS_NONE;
    struct lt_module_file file = lt_module_file_find(module->run, asked);
    if (file.verdict != LT_MODULE_FOUND)
        return refuse_file(module, &file);
    int status = lt_debug_file_open(&module->file, module->run, file.fd, file.path);
    free(file.path);
    if (status != 0)
        return refuse_file(module, &(struct lt_module_file){.verdict = LT_MODULE_UNREADABLE});
    return read_symbols(module);
}

struct lt_symbol_module *lt_symbol_module_new(struct lt_symbol_run *run, const struct lt_dump_module *asked) {
    struct lt_symbol_module *module = calloc(1, sizeof *module);
    if (!module)
        return NULL;
    module->run = run;
    if (keep_identity(&module->identity, asked) != 0) {
        free(module);
        return NULL;
    }
    run->progress.module = lt_symbol_module_label(asked);
    lt_symbol_progress(run);
    module->source = open_module(module, asked);
    run->progress.fetched_bytes = run->progress.fetch_total_bytes = 0;
    return module;
}

static void free_answers(struct lt_symbol_module *module) {
    struct answer *answer = module->answers, *next;
    HASH_CLEAR(hh, module->answers); /* the table; its elements keep their links */
    for (; answer; answer = next) {
        next = answer->hh.next;
        free(answer);
    }
}

void lt_symbol_module_free(struct lt_symbol_module *module) {
    free_answers(module);
    lt_units_close(&module->units);
    lt_go_table_close(&module->go);
    lt_symtab_free(&module->symtab);
    lt_debug_file_close(&module->file);
    free(module->identity.path);
    free(module);
}

static size_t find_lines(struct lt_symbol_module *module, uint64_t offset, struct lt_symbol_line *lines) {
    struct lt_line_source source = {.units = module->has_dwarf ? &module->units : NULL,
                                    .go = &module->go,
                                    .symtab = &module->symtab,
                                    .names = &module->run->names};
    size_t count = offset ? lt_lines_find(&source, offset - 1, lines) : 0;
    if (count > 1 && module->run->options.no_inlines)
        lines[0] = lines[count - 1], count = 1;
    if (count == 0)
        lines[count++] = UNKNOWN_LINE;
    return count;
}

static const struct answer *add_answer(struct lt_symbol_module *module, uint64_t offset) {
    struct lt_symbol_line lines[LT_LINES_MAX];
    size_t count = find_lines(module, offset, lines);
    struct answer *answer = malloc(sizeof *answer + count * sizeof *lines);
    if (!answer)
        return NULL;
    answer->offset = offset;
    answer->count = count;
    memcpy(answer->lines, lines, count * sizeof *lines);
    HASH_ADD(hh, module->answers, offset, sizeof answer->offset, answer);
    if (answer->hh.tbl)
        return answer;
    free(answer);
    return NULL;
}

const struct lt_symbol_line *lt_symbol_module_lines(struct lt_symbol_module *module, uint64_t offset, size_t *count) {
    const struct answer *answer;
    HASH_FIND(hh, module->answers, &offset, sizeof offset, answer);
    if (!answer)
        answer = add_answer(module, offset);
    if (!answer || module->units.out_of_memory)
        module->run->names.out_of_memory = true;
    *count = answer ? answer->count : 1;
    return answer ? answer->lines : &UNKNOWN_LINE;
}

void lt_symbol_module_finish(struct lt_symbol_module *module) {
    if (!module->units.split_missing || module->said_split)
        return;
    module->said_split = true;
    lt_symbol_warn(module->run,
                   "module %s: %zu of its split debug files (.dwo) are missing, or packed into a .dwp, which needs "
                   "elfutils 0.191: no inlined functions there",
                   module->identity.path, module->units.split_missing);
}
