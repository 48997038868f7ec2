/* A dump names files of another time and often of another machine. Each candidate is opened once and checked through
 * that descriptor, which is then the one that gets read. */
#include "report/module_file.h"

#include "report/debuginfod.h"
#include "report/go_build_id.h"

#include <elfutils/libdwelf.h>
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* One search: the module asked for, and the best that was seen so far. */
struct search {
    struct lt_symbol_run *run;
    const struct lt_dump_module *module;
    struct lt_module_file best;
};

static bool has_gnu_build_id(const struct lt_dump_module *module, Elf *elf) {
    const void *id;
    ssize_t size = dwelf_elf_gnu_build_id(elf, &id);
    return size > 0 && (size_t)size == module->build_id_size && memcmp(id, module->build_id, (size_t)size) == 0;
}

static enum lt_module_verdict judge_build_id(const struct lt_dump_module *module, Elf *elf) {
    bool same = lt_dump_has_go_build_id(module) ? lt_go_build_id_is(elf, module) : has_gnu_build_id(module, elf);
    return same ? LT_MODULE_FOUND : LT_MODULE_OTHER_BUILD_ID;
}

static enum lt_module_verdict judge_elf(const struct lt_dump_module *module, int fd) {
    GElf_Ehdr header;
    Elf *elf = elf_begin(fd, ELF_C_READ_MMAP, NULL);
    enum lt_module_verdict verdict = LT_MODULE_UNREADABLE;
    if (elf_kind(elf) == ELF_K_ELF && gelf_getehdr(elf, &header) &&
        (header.e_type == ET_EXEC || header.e_type == ET_DYN))
        verdict = module->build_id_size ? judge_build_id(module, elf) : LT_MODULE_FOUND;
    elf_end(elf);
    return verdict;
}

static uint64_t modification_time_ns(const struct stat *status) {
    return (uint64_t)status->st_mtim.tv_sec * 1000000000 + (uint64_t)status->st_mtim.tv_nsec;
}

/* A copy keeps its size but not always its time. */
static bool is_same_file(const struct lt_dump_module *module, const struct stat *status, bool may_be_copy) {
    if (module->build_id_size)
        return true;
    if (module->size && module->size != (uint64_t)status->st_size)
        return false;
    return may_be_copy || !module->mtime_ns || module->mtime_ns == modification_time_ns(status);
}

static enum lt_module_verdict judge_file(const struct lt_dump_module *module, int fd, bool may_be_copy) {
    struct stat status;
    if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode))
        return LT_MODULE_UNREADABLE;
    return is_same_file(module, &status, may_be_copy) ? judge_elf(module, fd) : LT_MODULE_OTHER_FILE;
}

/* Judges one candidate and closes it unless it is the one. Takes `path`, which may be NULL. Returns true when found. */
static bool consider(struct search *search, int fd, char *path, bool may_be_copy) {
    enum lt_module_verdict verdict = judge_file(search->module, fd, may_be_copy);
    if (verdict == LT_MODULE_FOUND && path) {
        search->best = (struct lt_module_file){.verdict = verdict, .fd = fd, .path = path};
        return true;
    }
    if (search->best.verdict < verdict)
        search->best.verdict = verdict;
    close(fd);
    free(path);
    return false;
}

/* Opening what is no regular file may do something (rewind a tape, start a watchdog), and a dump can name anything: so
 * it is looked at first. O_NONBLOCK: should it have become a FIFO since, that would wait for a writer. */
static int open_regular(const char *path) {
    struct stat status;
    if (stat(path, &status) != 0)
        return -1;
    if (S_ISREG(status.st_mode))
        return open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    errno = 0;
    return -1;
}

static bool try_path(struct search *search, char *path, bool may_be_copy) {
    int fd = path ? open_regular(path) : -1;
    if (fd >= 0)
        return consider(search, fd, path, may_be_copy);
    bool is_there = path && errno != ENOENT && errno != ENOTDIR;
    if (is_there && search->best.verdict < LT_MODULE_UNREADABLE) {
        search->best.verdict = LT_MODULE_UNREADABLE;
        search->best.error = errno;
    }
    free(path);
    return false;
}

/* The kernel marks the name of a running program that was replaced on disk. */
static char *undeleted(const char *path) {
    static const char mark[] = " (deleted)";
    size_t length = strlen(path), mark_length = sizeof mark - 1;
    bool marked = length > mark_length && strcmp(path + length - mark_length, mark) == 0;
    return strndup(path, marked ? length - mark_length : length);
}

static char *join(const char *directory, const char *name) {
    char *path;
    return asprintf(&path, "%s/%s", directory, name) >= 0 ? path : NULL;
}

static const char *base_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* A bare file name is a match by build-id only: too many files are called "a.out". */
static bool try_paths(struct search *search, const char *path) {
    const char *symfs = search->run->symfs;
    if (symfs && try_path(search, join(symfs, path), true))
        return true;
    if (symfs && search->module->build_id_size && try_path(search, join(symfs, base_name(path)), true))
        return true;
    return try_path(search, strdup(path), false);
}

static void write_hex(char *text, const uint8_t *bytes, size_t count) {
    for (size_t i = 0; i < count; i++)
        sprintf(text + 2 * i, "%02x", bytes[i]);
}

/* By what directories of debug information, and servers of it, are ordered. */
static bool has_gnu_name(const struct lt_dump_module *module) {
    return module->build_id_size >= 2 && module->build_id_size <= 64 && !lt_dump_has_go_build_id(module);
}

static bool try_build_id(struct search *search) {
    const struct lt_dump_module *module = search->module;
    char hex[2 * 64 + 1] = "";
    if (!has_gnu_name(module))
        return false;
    write_hex(hex, module->build_id, module->build_id_size);
    for (char **dir = search->run->debug_dirs; *dir; dir++)
        for (int debug = 0; debug < 2; debug++) {
            char *path;
            if (asprintf(&path, "%s/.build-id/%.2s/%s%s", *dir, hex, hex + 2, debug ? ".debug" : "") < 0)
                path = NULL;
            if (try_path(search, path, true))
                return true;
        }
    return false;
}

struct lt_module_file lt_module_file_find(struct lt_symbol_run *run, const struct lt_dump_module *module) {
    struct search search = {.run = run, .module = module, .best = {.verdict = LT_MODULE_MISSING, .fd = -1}};
    char *path = undeleted(module->path);
    bool found = (path && try_paths(&search, path)) || try_build_id(&search);
    if (!found && run->use_debuginfod && has_gnu_name(module)) {
        char *fetched = NULL;
        int fd = lt_debuginfod_fetch(run, module->build_id, module->build_id_size, &fetched);
        if (fd >= 0)
            consider(&search, fd, fetched, true);
    }
    free(path);
    return search.best;
}
