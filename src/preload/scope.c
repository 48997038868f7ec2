/* ELF symbol lookup: gABI "Hash Table", and DT_GNU_HASH as in binutils and glibc's elf/dl-lookup.c, whose rules on
 * hidden versions are followed for a lookup without a version. */
#include "preload/scope.h"

#include "base/attrs.h"

#include <dlfcn.h>
#include <elf.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/auxv.h>

enum { HIDDEN_VERSION = 0x8000, LOCAL_VERSION = 0 };

struct symbols { /* one object's dynamic symbol table */
    const ElfW(Sym) * table;
    const char *names;
    const ElfW(Half) * versions; /* NULL: it has none */
    const uint32_t *gnu_hash, *hash;
};

/* glibc relocates these addresses in place, except in objects whose dynamic section is read-only (the vDSO). */
static const void *dynamic_address(const struct link_map *object, ElfW(Addr) value) {
    return (const void *)(value < object->l_addr ? value + object->l_addr : value);
}

static struct symbols symbols_of(const struct link_map *object) {
    struct symbols s = {0};
    for (const ElfW(Dyn) *d = object->l_ld; d && d->d_tag != DT_NULL; d++) {
        const void *address = dynamic_address(object, d->d_un.d_ptr);
        switch (d->d_tag) {
        case DT_SYMTAB:
            s.table = address;
            break;
        case DT_STRTAB:
            s.names = address;
            break;
        case DT_VERSYM:
            s.versions = address;
            break;
        case DT_GNU_HASH:
            s.gnu_hash = address;
            break;
        case DT_HASH:
            s.hash = address;
            break;
        }
    }
    return s;
}

static bool defines(const struct symbols *s, uint32_t i, const char *name) {
    const ElfW(Sym) *symbol = &s->table[i];
    unsigned type = ELF64_ST_TYPE(symbol->st_info);
    if (symbol->st_shndx == SHN_UNDEF || ELF64_ST_BIND(symbol->st_info) == STB_LOCAL)
        return false;
    if (type != STT_FUNC && type != STT_GNU_IFUNC && type != STT_NOTYPE)
        return false;
    if (s->versions && ((s->versions[i] & HIDDEN_VERSION) || s->versions[i] == LOCAL_VERSION))
        return false;
    return strcmp(s->names + symbol->st_name, name) == 0;
}

static const ElfW(Sym) * find_gnu(const struct symbols *s, const char *name) {
    uint32_t hash = 5381;
    for (const char *c = name; *c; c++)
        hash = hash * 33 + (uint8_t)*c;
    uint32_t buckets = s->gnu_hash[0], first = s->gnu_hash[1], words = s->gnu_hash[2], shift = s->gnu_hash[3];
    const uint64_t *bloom = (const uint64_t *)(s->gnu_hash + 4);
    const uint32_t *bucket = (const uint32_t *)(bloom + words);
    const uint32_t *chain = bucket + buckets;
    uint64_t word = bloom[(hash / 64) & (words - 1)];
    if (!(word >> (hash % 64) & word >> ((hash >> shift) % 64) & 1) || !bucket[hash % buckets])
        return NULL;
    for (uint32_t i = bucket[hash % buckets];; i++) {
        uint32_t link = chain[i - first]; /* the hash, its lowest bit set on the last of the bucket */
        if ((link | 1) == (hash | 1) && defines(s, i, name))
            return &s->table[i];
        if (link & 1)
            return NULL;
    }
}

static const ElfW(Sym) * find_sysv(const struct symbols *s, const char *name) {
    uint32_t hash = 0;
    for (const char *c = name; *c; c++) {
        hash = (hash << 4) + (uint8_t)*c;
        hash = (hash ^ (hash >> 28 << 4)) & 0x0fffffff;
    }
    uint32_t buckets = s->hash[0];
    const uint32_t *bucket = s->hash + 2, *chain = bucket + buckets;
    for (uint32_t i = bucket[hash % buckets]; i; i = chain[i])
        if (defines(s, i, name))
            return &s->table[i];
    return NULL;
}

static void *find_in(const struct link_map *object, const char *name) {
    struct symbols s = symbols_of(object);
    const ElfW(Sym) *symbol = NULL;
    if (!s.table || !s.names)
        return NULL;
    if (s.gnu_hash)
        symbol = find_gnu(&s, name);
    else if (s.hash)
        symbol = find_sysv(&s, name);
    if (!symbol)
        return NULL;
    uintptr_t address = object->l_addr + symbol->st_value;
    if (ELF64_ST_TYPE(symbol->st_info) == STT_GNU_IFUNC)
        return ((void *(*)(void))address)();
    return (void *)address;
}

void *lt_scope_find(const struct link_map *from, const char *name, const struct link_map **provider) {
    const ElfW(Addr) vdso = getauxval(AT_SYSINFO_EHDR); /* listed, but never searched */
    for (const struct link_map *object = from; object; object = object->l_next) {
        void *address = object->l_addr == vdso ? NULL : find_in(object, name);
        if (address) {
            *provider = object;
            return address;
        }
    }
    *provider = NULL;
    return NULL;
}

bool lt_scope_needs(const struct link_map *object, const struct link_map *library) {
    const char *names = symbols_of(object).names, *own_names = symbols_of(library).names, *soname = NULL;
    if (!names || !own_names)
        return false;
    for (const ElfW(Dyn) *d = library->l_ld; d && d->d_tag != DT_NULL; d++)
        if (d->d_tag == DT_SONAME)
            soname = own_names + d->d_un.d_val;
    for (const ElfW(Dyn) *d = object->l_ld; d && d->d_tag != DT_NULL && soname; d++)
        if (d->d_tag == DT_NEEDED && strcmp(names + d->d_un.d_val, soname) == 0)
            return true;
    return false;
}

const struct link_map *lt_scope_self(void) {
    static const char inside;
    struct dl_find_object found;
    if (_dl_find_object((void *)&inside, &found) == -1)
        return NULL;
    return found.dlfo_link_map;
}

const struct link_map *lt_scope_first(void) {
    const struct link_map *object = lt_scope_self();
    while (object && object->l_prev)
        object = object->l_prev;
    return object;
}
