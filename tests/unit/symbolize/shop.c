/* See shop.h. Commands run by the shell in the shop's folder; their output is kept and printed only when they fail. */
#include "unit/symbolize/shop.h"

#include <elfutils/libdwelf.h>
#include <fcntl.h>
#include <gelf.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[SHOP_PATH_MAX / 2];
static void *kept[256]; /* what modules point to; freed when the shop closes */
static size_t kept_count;

int shop_open(void **state) {
    (void)state;
    elf_version(EV_CURRENT);
    char here[PATH_MAX];
    if (!getcwd(here, sizeof here))
        return -1;
    int length = snprintf(folder, sizeof folder, "%s/shop.XXXXXX", here);
    return length < (int)sizeof folder && mkdtemp(folder) ? 0 : -1;
}

int shop_close(void **state) {
    (void)state;
    char command[SHOP_PATH_MAX];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    while (kept_count)
        free(kept[--kept_count]);
    return system(command);
}

/* A copy that lives as long as the shop. */
static void *keep(const void *bytes, size_t size) {
    assert_in_range(kept_count, 0, sizeof kept / sizeof *kept - 1);
    void *copy = malloc(size);
    assert_non_null(copy);
    kept[kept_count++] = copy;
    return memcpy(copy, bytes, size);
}

const char *shop_path(const char *name) {
    static char ring[8][SHOP_PATH_MAX];
    static unsigned next;
    char *path = ring[next++ % 8];
    int length = snprintf(path, SHOP_PATH_MAX, "%s/%s", folder, name);
    assert_in_range(length, 1, SHOP_PATH_MAX - 1);
    return path;
}

static void show_log(void) {
    FILE *log = fopen(shop_path("log"), "r");
    char line[1024];
    while (log && fgets(line, sizeof line, log))
        print_message("    | %s", line);
    if (log)
        fclose(log);
}

static bool run(const char *format, va_list arguments) {
    char command[4096];
    int start = snprintf(command, sizeof command, "exec >'%s/log' 2>&1 && cd '%s' && S='%s' && ", folder, folder,
                         LT_SAMPLES_DIR);
    int length = vsnprintf(command + start, sizeof command - (size_t)start, format, arguments);
    assert_in_range(length, 1, sizeof command - (size_t)start - 1);
    if (system(command) == 0)
        return true;
    print_message("failed: %s\n", command + start);
    show_log();
    return false;
}

bool shop_try(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    bool well = run(format, arguments);
    va_end(arguments);
    return well;
}

void shop_run(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    bool well = run(format, arguments);
    va_end(arguments);
    assert_true(well);
}

bool shop_has(const char *program) {
    char command[SHOP_PATH_MAX];
    snprintf(command, sizeof command, "command -v %s >/dev/null", program);
    return system(command) == 0;
}

bool shop_can_run(const char *programs) {
    char list[SHOP_PATH_MAX], *rest = list;
    bool all = true;
    snprintf(list, sizeof list, "%s", programs);
    for (char *program; (program = strsep(&rest, " ")) != NULL;)
        if (!shop_has(program)) {
            print_message("skipped: %s is not installed\n", program);
            all = false;
        }
    return all;
}

void shop_need(const char *programs) {
    if (!shop_can_run(programs))
        skip();
}

static Elf *open_elf(const char *path, int *fd) {
    *fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(*fd >= 0);
    Elf *elf = elf_begin(*fd, ELF_C_READ, NULL);
    assert_non_null(elf);
    return elf;
}

struct lt_dump_module shop_module(const char *path) {
    struct stat status;
    int fd;
    Elf *elf = open_elf(path, &fd);
    assert_int_equal(fstat(fd, &status), 0);
    struct lt_dump_module module = {.path = keep(path, strlen(path) + 1), .size = (uint64_t)status.st_size};
    module.mtime_ns = (uint64_t)status.st_mtim.tv_sec * 1000000000 + (uint64_t)status.st_mtim.tv_nsec;
    const void *id;
    ssize_t id_size = dwelf_elf_gnu_build_id(elf, &id);
    if (id_size > 0) {
        module.build_id = keep(id, (size_t)id_size);
        module.build_id_size = (size_t)id_size;
    }
    elf_end(elf);
    close(fd);
    return module;
}

/* Calls `visit` for each function of the symbol table that has a size. */
static void each_function(const char *path, void (*visit)(void *data, const char *name, const GElf_Sym *symbol),
                          void *data) {
    int fd;
    Elf *elf = open_elf(path, &fd);
    for (Elf_Scn *section = NULL; (section = elf_nextscn(elf, section)) != NULL;) {
        GElf_Shdr header;
        GElf_Sym symbol;
        if (!gelf_getshdr(section, &header) || header.sh_type != SHT_SYMTAB)
            continue;
        Elf_Data *table = elf_getdata(section, NULL);
        for (int i = 0; gelf_getsym(table, i, &symbol); i++)
            if (GELF_ST_TYPE(symbol.st_info) == STT_FUNC && symbol.st_size > 0 && symbol.st_shndx != SHN_UNDEF)
                visit(data, elf_strptr(elf, header.sh_link, symbol.st_name), &symbol);
    }
    elf_end(elf);
    close(fd);
}

struct address_list {
    uint64_t *addresses;
    size_t count, max;
    uint64_t total, step, next; /* bytes of code; distance between two picks; the next pick, counted in bytes of code */
};

static void count_code(void *data, const char *name, const GElf_Sym *symbol) {
    (void)name;
    ((struct address_list *)data)->total += symbol->st_size;
}

static void pick_addresses(void *data, const char *name, const GElf_Sym *symbol) {
    (void)name;
    struct address_list *list = data;
    for (; list->next < symbol->st_size && list->count < list->max; list->next += list->step)
        list->addresses[list->count++] = symbol->st_value + list->next;
    list->next = list->next > symbol->st_size ? list->next - symbol->st_size : 0;
}

size_t shop_code_addresses(const char *path, uint64_t *addresses, size_t max) {
    struct address_list list = {.addresses = addresses, .max = max};
    each_function(path, count_code, &list);
    list.step = list.total / max + 1;
    each_function(path, pick_addresses, &list);
    assert_true(list.count > 0);
    return list.count;
}

struct wanted {
    const char *name;
    uint64_t address;
};

static void match_name(void *data, const char *name, const GElf_Sym *symbol) {
    struct wanted *wanted = data;
    if (name && strcmp(name, wanted->name) == 0)
        wanted->address = symbol->st_value;
}

uint64_t shop_function(const char *path, const char *name) {
    struct wanted wanted = {.name = name};
    each_function(path, match_name, &wanted);
    if (!wanted.address)
        fail_msg("%s has no function %s", path, name);
    return wanted.address;
}
