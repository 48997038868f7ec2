/* dwfl_module_addrinfo walks the whole table for each address, so the table is read once and sorted. Symbols without a
 * size (assembly) reach up to the next symbol or the end of their section. */
#include "report/symbolize_symtab.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static bool names_code(const GElf_Sym *symbol, const char *name) {
    int type = GELF_ST_TYPE(symbol->st_info);
    if (!name || !name[0] || symbol->st_shndx == SHN_UNDEF || symbol->st_shndx == SHN_ABS)
        return false;
    if (type == STT_NOTYPE)
        return name[0] != '$' && name[0] != '.'; /* "$x", ".L1": marks for tools, not names */
    return type == STT_FUNC || type == STT_GNU_IFUNC;
}

/* "malloc" is a better name than its aliases "__libc_malloc" and "__malloc". */
static uint8_t rank_symbol(const GElf_Sym *symbol, const char *name) {
    unsigned rank = GELF_ST_TYPE(symbol->st_info) == STT_NOTYPE ? 64 : 0;
    rank += symbol->st_size == 0 ? 32 : 0;
    rank += GELF_ST_BIND(symbol->st_info) == STB_LOCAL ? 16 : 0;
    size_t underscores = strspn(name, "_");
    return (uint8_t)(rank + (underscores < 15 ? underscores : 15));
}

/* How many bytes of its section follow the symbol's start. */
static uint64_t bytes_to_section_end(Elf *elf, GElf_Word index, const GElf_Sym *symbol) {
    GElf_Shdr section;
    if (!gelf_getshdr(elf_getscn(elf, index), &section) || symbol->st_value < section.sh_addr)
        return 0;
    uint64_t offset = symbol->st_value - section.sh_addr;
    return offset < section.sh_size ? section.sh_size - offset : 0;
}

static LT_STATUS add_entry(struct lt_symtab *symtab, struct lt_symtab_entry entry, uint64_t size) {
    int status =
        lt_array_reserve((void **)&symtab->entries, &symtab->capacity, symtab->count + 1, sizeof *symtab->entries);
    if (status != 0)
        return status;
    entry.end = size <= UINT64_MAX - entry.start ? entry.start + size : entry.start;
    symtab->entries[symtab->count++] = entry;
    return 0;
}

static int compare_entries(const void *left, const void *right) {
    const struct lt_symtab_entry *a = left, *b = right;
    if (a->start != b->start)
        return a->start < b->start ? -1 : 1;
    if (a->rank != b->rank)
        return a->rank < b->rank ? -1 : 1;
    return strcmp(a->name, b->name);
}

/* Walks down from the end, so that what follows a symbol without size is known. */
static void close_unsized(struct lt_symtab *symtab) {
    uint64_t next = UINT64_MAX;
    for (size_t i = symtab->count; i-- > 0;) {
        struct lt_symtab_entry *entry = &symtab->entries[i];
        if (i + 1 < symtab->count && entry[1].start != entry->start)
            next = entry[1].start;
        if (entry->unsized && next < entry->end)
            entry->end = next;
    }
}

static LT_STATUS build_ranges(struct lt_symtab *symtab) {
    for (size_t i = 0; i < symtab->count; i++)
        if (lt_ranges_add(&symtab->ranges, symtab->entries[i].start, symtab->entries[i].end, (uint32_t)i) != 0)
            return -ENOMEM;
    lt_ranges_sort(&symtab->ranges);
    return 0;
}

static LT_STATUS add_symbol(struct lt_symtab *symtab, Dwfl_Module *module, int index, uint64_t bias,
                            const struct lt_ranges *code) {
    GElf_Sym symbol;
    GElf_Addr address;
    GElf_Word section;
    Elf *elf;
    const char *name = dwfl_module_getsym_info(module, index, &symbol, &address, &section, &elf, NULL);
    if (!names_code(&symbol, name) || !lt_ranges_find(code, address - bias))
        return 0;
    bool unsized = symbol.st_size == 0;
    struct lt_symtab_entry entry = {
        .start = address - bias, .name = name, .unsized = unsized, .rank = rank_symbol(&symbol, name)};
    return add_entry(symtab, entry, unsized ? bytes_to_section_end(elf, section, &symbol) : symbol.st_size);
}

LT_STATUS lt_symtab_read(struct lt_symtab *symtab, Dwfl_Module *module, uint64_t bias, const struct lt_ranges *code) {
    int count = dwfl_module_getsymtab(module);
    for (int i = 1; i < count; i++)
        if (add_symbol(symtab, module, i, bias, code) != 0)
            return -ENOMEM;
    if (symtab->count > 1)
        qsort(symtab->entries, symtab->count, sizeof *symtab->entries, compare_entries);
    close_unsized(symtab);
    return build_ranges(symtab);
}

const struct lt_symtab_entry *lt_symtab_find(const struct lt_symtab *symtab, uint64_t vaddr) {
    const struct lt_range *range = lt_ranges_find(&symtab->ranges, vaddr);
    return range ? &symtab->entries[range->value] : NULL;
}

void lt_symtab_free(struct lt_symtab *symtab) {
    free(symtab->entries);
    lt_ranges_free(&symtab->ranges);
    *symtab = (struct lt_symtab){0};
}
