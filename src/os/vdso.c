#include "os/vdso.h"

#include <elf.h>
#include <errno.h>
#include <link.h>
#include <stdint.h>
#include <string.h>
#include <sys/auxv.h>

struct image {
    uintptr_t bias;
    const ElfW(Sym) * symbols;
    const char *strings;
    const uint32_t *gnu_hash;
    const ElfW(Word) * hash;
};

static const ElfW(Dyn) * find_dynamic(const ElfW(Ehdr) * elf, uintptr_t *bias) {
    const ElfW(Phdr) *segments = (const void *)((uintptr_t)elf + elf->e_phoff);
    const ElfW(Phdr) *dynamic = NULL;
    for (unsigned i = 0; i < elf->e_phnum; i++) {
        if (segments[i].p_type == PT_LOAD && segments[i].p_offset == 0)
            *bias = (uintptr_t)elf - segments[i].p_vaddr;
        if (segments[i].p_type == PT_DYNAMIC)
            dynamic = &segments[i];
    }
    return dynamic ? (const void *)((uintptr_t)elf + dynamic->p_offset) : NULL;
}

static struct image read_dynamic(const ElfW(Dyn) * dynamic, uintptr_t bias) {
    struct image image = {.bias = bias};
    for (; dynamic->d_tag != DT_NULL; dynamic++) {
        const void *at = (const void *)(bias + dynamic->d_un.d_ptr);
        switch (dynamic->d_tag) {
        case DT_SYMTAB:
            image.symbols = at;
            break;
        case DT_STRTAB:
            image.strings = at;
            break;
        case DT_HASH:
            image.hash = at;
            break;
        case DT_GNU_HASH:
            image.gnu_hash = at;
            break;
        }
    }
    return image;
}

/* Newer kernels leave DT_HASH out, and DT_GNU_HASH does not say how many symbols there are: its last chain does. */
static uint32_t count_symbols(const struct image *image) {
    if (image->hash)
        return image->hash[1];
    if (!image->gnu_hash)
        return 0;
    uint32_t bucket_count = image->gnu_hash[0], first = image->gnu_hash[1], bloom_words = image->gnu_hash[2];
    const uint32_t *buckets = image->gnu_hash + 4 + bloom_words * (sizeof(ElfW(Addr)) / 4);
    const uint32_t *chains = buckets + bucket_count;
    uint32_t last = 0;
    for (uint32_t i = 0; i < bucket_count; i++)
        last = buckets[i] > last ? buckets[i] : last;
    if (last < first)
        return 0;
    while (!(chains[last - first] & 1))
        last++;
    return last + 1;
}

void *lt_vdso_find(const char *name) {
    int saved = errno; /* getauxval writes it where there is no entry */
    const ElfW(Ehdr) *elf = (const void *)getauxval(AT_SYSINFO_EHDR);
    errno = saved;
    uintptr_t bias = 0;
    const ElfW(Dyn) *dynamic = elf ? find_dynamic(elf, &bias) : NULL;
    if (!dynamic)
        return NULL;
    struct image image = read_dynamic(dynamic, bias);
    if (!image.symbols || !image.strings)
        return NULL;
    for (uint32_t i = 0, count = count_symbols(&image); i < count; i++)
        if (image.symbols[i].st_shndx != SHN_UNDEF && strcmp(image.strings + image.symbols[i].st_name, name) == 0)
            return (void *)(bias + image.symbols[i].st_value);
    return NULL;
}
