/* dwfl_module_addrinfo walks the whole table for each address, so the table is read once and sorted. Symbols without a
 * size (assembly) reach up to the next symbol or the end of their segment. */
#include "report/symbolize_symtab.h"

#include <errno.h>
#include <stdbool.h>
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

static LT_STATUS add_symbol(struct lt_symtab *symtab, const GElf_Sym *symbol, const char *name, uint64_t start) {
    int status =
        lt_array_reserve((void **)&symtab->entries, &symtab->capacity, symtab->count + 1, sizeof *symtab->entries);
    if (status != 0)
        return status;
    uint64_t end = symbol->st_size <= UINT64_MAX - start ? start + symbol->st_size : start;
    symtab->entries[symtab->count++] =
        (struct lt_symtab_entry){.start = start, .end = end, .name = name, .rank = rank_symbol(symbol, name)};
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
static void close_unsized(struct lt_symtab *symtab, const struct lt_ranges *code) {
    uint64_t next = UINT64_MAX;
    for (size_t i = symtab->count; i-- > 0;) {
        struct lt_symtab_entry *entry = &symtab->entries[i];
        if (i + 1 < symtab->count && entry[1].start != entry->start)
            next = entry[1].start;
        const struct lt_range *segment = lt_ranges_find(code, entry->start);
        if (entry->end == entry->start && segment)
            entry->end = next < segment->end ? next : segment->end;
    }
}

static LT_STATUS build_ranges(struct lt_symtab *symtab) {
    for (size_t i = 0; i < symtab->count; i++)
        if (lt_ranges_add(&symtab->ranges, symtab->entries[i].start, symtab->entries[i].end, (uint32_t)i) != 0)
            return -ENOMEM;
    lt_ranges_sort(&symtab->ranges);
    return 0;
}

LT_STATUS lt_symtab_read(struct lt_symtab *symtab, Dwfl_Module *module, uint64_t bias, const struct lt_ranges *code) {
    int count = dwfl_module_getsymtab(module);
    for (int i = 1; i < count; i++) {
        GElf_Sym symbol;
        GElf_Addr address;
        const char *name = dwfl_module_getsym_info(module, i, &symbol, &address, NULL, NULL, NULL);
        if (names_code(&symbol, name) && lt_ranges_find(code, address - bias) &&
            add_symbol(symtab, &symbol, name, address - bias) != 0)
            return -ENOMEM;
    }
    if (symtab->count > 1)
        qsort(symtab->entries, symtab->count, sizeof *symtab->entries, compare_entries);
    close_unsized(symtab, code);
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
