#include "report/go_image.h"

#include "report/symbolize_ranges.h"

#include <elf.h>
#include <errno.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>

static uint64_t word_at(const uint8_t *bytes) {
    uint64_t word;
    memcpy(&word, bytes, sizeof word);
    return word;
}

/* The bytes of a section that is loaded from the file; empty for any other. */
static struct lt_go_bytes loaded_bytes(Elf_Scn *section, GElf_Shdr *header) {
    struct lt_go_bytes bytes = {0};
    if (!gelf_getshdr(section, header) || !(header->sh_flags & SHF_ALLOC) || header->sh_type == SHT_NOBITS ||
        header->sh_flags & SHF_COMPRESSED)
        return bytes;
    const Elf_Data *data = elf_rawdata(section, NULL);
    if (data && data->d_buf && data->d_size <= UINT64_MAX - header->sh_addr)
        bytes = (struct lt_go_bytes){.at = data->d_buf, .size = data->d_size, .vaddr = header->sh_addr};
    return bytes;
}

static bool is_relative(const GElf_Ehdr *header, uint64_t type) {
    return (header->e_machine == EM_X86_64 && type == R_X86_64_RELATIVE) ||
           (header->e_machine == EM_AARCH64 && type == R_AARCH64_RELATIVE);
}

static int add_relocations(struct lt_go_image *image, const GElf_Ehdr *header, Elf_Scn *section) {
    Elf_Data *data = elf_getdata(section, NULL);
    const size_t entries = data ? data->d_size / sizeof(Elf64_Rela) : 0;
    void *items = image->relocations;
    if (lt_array_reserve(&items, &image->capacity, image->count + entries, sizeof *image->relocations) != 0)
        return -ENOMEM;
    image->relocations = items;
    for (size_t i = 0; i < entries; i++) {
        GElf_Rela entry;
        if (gelf_getrela(data, (int)i, &entry) && is_relative(header, GELF_R_TYPE(entry.r_info)))
            image->relocations[image->count++] =
                (struct lt_go_relocation){.vaddr = entry.r_offset, .value = (uint64_t)entry.r_addend};
    }
    return 0;
}

static int compare(const void *left, const void *right) {
    const struct lt_go_relocation *a = left, *b = right;
    return a->vaddr < b->vaddr ? -1 : a->vaddr > b->vaddr;
}

int lt_go_image_open(struct lt_go_image *image, Elf *elf) {
    *image = (struct lt_go_image){.elf = elf};
    GElf_Ehdr header;
    const bool fits =
        gelf_getehdr(elf, &header) && header.e_ident[EI_CLASS] == ELFCLASS64 && header.e_ident[EI_DATA] == ELFDATA2LSB;
    return fits ? 0 : -ENOEXEC;
}

int lt_go_image_relocate(struct lt_go_image *image) {
    GElf_Ehdr header;
    if (!gelf_getehdr(image->elf, &header))
        return 0;
    for (Elf_Scn *section = NULL; (section = elf_nextscn(image->elf, section)) != NULL;) {
        GElf_Shdr shdr;
        if (gelf_getshdr(section, &shdr) && shdr.sh_type == SHT_RELA && shdr.sh_flags & SHF_ALLOC &&
            add_relocations(image, &header, section) != 0)
            return -ENOMEM;
    }
    if (image->count)
        qsort(image->relocations, image->count, sizeof *image->relocations, compare);
    return 0;
}

void lt_go_image_close(struct lt_go_image *image) {
    free(image->relocations);
    *image = (struct lt_go_image){0};
}

struct lt_go_bytes lt_go_image_section(const struct lt_go_image *image, const char *name) {
    size_t names;
    GElf_Shdr header;
    if (elf_getshdrstrndx(image->elf, &names) == 0)
        for (Elf_Scn *section = NULL; (section = elf_nextscn(image->elf, section)) != NULL;) {
            struct lt_go_bytes bytes = loaded_bytes(section, &header);
            const char *word = bytes.at ? elf_strptr(image->elf, names, header.sh_name) : NULL;
            if (word && strcmp(word, name) == 0)
                return bytes;
        }
    return (struct lt_go_bytes){0};
}

struct lt_go_bytes lt_go_image_scan(const struct lt_go_image *image, bool (*accept)(const struct lt_go_bytes *bytes)) {
    GElf_Shdr header;
    for (Elf_Scn *section = NULL; (section = elf_nextscn(image->elf, section)) != NULL;) {
        struct lt_go_bytes bytes = loaded_bytes(section, &header);
        for (; bytes.size >= 8; bytes.at += 8, bytes.size -= 8, bytes.vaddr += 8)
            if (accept(&bytes))
                return bytes;
    }
    return (struct lt_go_bytes){0};
}

struct lt_go_bytes lt_go_image_at(const struct lt_go_image *image, uint64_t vaddr) {
    GElf_Shdr header;
    for (Elf_Scn *section = NULL; (section = elf_nextscn(image->elf, section)) != NULL;) {
        struct lt_go_bytes bytes = loaded_bytes(section, &header);
        if (bytes.at && vaddr >= bytes.vaddr && vaddr - bytes.vaddr < bytes.size) {
            const size_t offset = vaddr - bytes.vaddr;
            return (struct lt_go_bytes){.at = bytes.at + offset, .size = bytes.size - offset, .vaddr = vaddr};
        }
    }
    return (struct lt_go_bytes){0};
}

static const struct lt_go_relocation *relocation_at(const struct lt_go_image *image, uint64_t vaddr) {
    const struct lt_go_relocation wanted = {.vaddr = vaddr};
    if (!image->count)
        return NULL;
    return bsearch(&wanted, image->relocations, image->count, sizeof wanted, compare);
}

bool lt_go_image_word(const struct lt_go_image *image, uint64_t vaddr, uint64_t *word) {
    const struct lt_go_relocation *relocation = relocation_at(image, vaddr);
    const struct lt_go_bytes bytes = lt_go_image_at(image, vaddr);
    if (bytes.size < sizeof *word)
        return false;
    *word = relocation ? relocation->value : word_at(bytes.at);
    return true;
}

/* What the file itself says at multiples of 8; a word that is relocated holds something else there, mostly 0. */
static uint64_t find_in(const struct lt_go_bytes *bytes, uint64_t word, uint64_t after) {
    const uint64_t skip = bytes->vaddr > after ? 0 : (after - bytes->vaddr) / 8 * 8 + 8;
    for (uint64_t offset = skip; bytes->size >= 8 && offset <= bytes->size - 8; offset += 8)
        if (word_at(bytes->at + offset) == word)
            return bytes->vaddr + offset;
    return 0;
}

uint64_t lt_go_image_find(const struct lt_go_image *image, uint64_t word, uint64_t after) {
    uint64_t found = 0;
    GElf_Shdr header;
    for (Elf_Scn *section = NULL; (section = elf_nextscn(image->elf, section)) != NULL;) {
        const struct lt_go_bytes bytes = loaded_bytes(section, &header);
        const uint64_t here = bytes.at && header.sh_flags & SHF_WRITE ? find_in(&bytes, word, after) : 0;
        if (here && (!found || here < found))
            found = here;
    }
    for (size_t i = 0; i < image->count; i++)
        if (image->relocations[i].value == word && image->relocations[i].vaddr > after &&
            (!found || image->relocations[i].vaddr < found))
            found = image->relocations[i].vaddr;
    return found;
}
