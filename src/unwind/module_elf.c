#include "unwind/module_elf.h"

#include "base/hash.h"
#include "os/memory.h"
#include "unwind/bytes.h"

#include <elf.h>

enum {
    GO_BUILD_ID = 4
}; /* cmd/link/internal/ld/elf.go: ELF_NOTE_GOBUILDID_TAG; the notes of its libraries have others */

bool lt_headers_find(uintptr_t header, struct lt_headers *headers) {
    const ElfW(Ehdr) *elf = (const ElfW(Ehdr) *)header;
    if (memcmp(elf->e_ident, ELFMAG, SELFMAG) != 0 || elf->e_ident[EI_CLASS] != ELFCLASS64 ||
        elf->e_phentsize != sizeof(ElfW(Phdr)) || elf->e_phoff > LT_PAGE ||
        elf->e_phnum * sizeof(ElfW(Phdr)) > LT_PAGE - elf->e_phoff)
        return false;
    *headers = (struct lt_headers){.at = (const ElfW(Phdr) *)(header + elf->e_phoff), .count = elf->e_phnum};
    for (uint32_t i = 0; i < headers->count; i++) {
        const ElfW(Phdr) *segment = &headers->at[i];
        if (segment->p_type != PT_LOAD)
            continue;
        headers->bias = header - (segment->p_vaddr & ~(uintptr_t)(LT_PAGE - 1));
        return segment->p_offset < LT_PAGE;
    }
    return false;
}

uint64_t lt_headers_hash(const struct lt_headers *headers) {
    return lt_hash_bytes(0, headers->at, headers->count * sizeof *headers->at);
}

static void add_segment(struct lt_module *module, const ElfW(Phdr) * segment) {
    uintptr_t start = module->bias + segment->p_vaddr, end = start + segment->p_memsz;
    if (module->segment_count == LT_MODULE_SEGMENTS_MAX)
        return;
    module->segments[module->segment_count++] =
        (struct lt_segment){segment->p_vaddr, segment->p_memsz, segment->p_offset, segment->p_flags};
    if (module->start == 0 || start < module->start)
        module->start = start & ~(uintptr_t)(LT_PAGE - 1);
    if (end > module->end)
        module->end = end;
}

static void keep_build_id(struct lt_module *module, const uint8_t *id, uint32_t size, bool is_go) {
    module->build_id_size = size < LT_BUILD_ID_MAX ? size : LT_BUILD_ID_MAX;
    module->build_id_is_go = is_go;
    module->build_id_at = id;
    memcpy(module->build_id, id, module->build_id_size);
}

/* Go's build id is hashes of what was built, with slashes between. One without is a word of somebody's own (bazel
 * writes "redacted"), the same for every build. */
static bool is_identity(const uint8_t *id, uint32_t size) {
    return memchr(id, '/', size);
}

static void see_note(struct lt_module *module, uint32_t type, const uint8_t *name, const uint8_t *id, uint32_t size) {
    const bool has_gnu = module->build_id_size && !module->build_id_is_go;
    if (memcmp(name, "Go\0", 4) == 0) {
        module->is_go = true;
        if (type == GO_BUILD_ID && !module->build_id_size && is_identity(id, size))
            keep_build_id(module, id, size, true);
    } else if (memcmp(name, "GNU", 4) == 0 && type == NT_GNU_BUILD_ID && !has_gnu) {
        keep_build_id(module, id, size, false);
    }
}

/* Notes are {name size, descriptor size, type, name, descriptor}, the last two padded to the segment's alignment. */
static void read_notes(struct lt_module *module, struct lt_bytes notes, uint64_t align) {
    uint64_t padding = align == 8 ? 7 : 3;
    while (lt_bytes_left(&notes)) {
        uint32_t name_size = lt_bytes_u32(&notes), size = lt_bytes_u32(&notes), type = lt_bytes_u32(&notes);
        const uint8_t *name = notes.at;
        lt_bytes_skip(&notes, (name_size + padding) & ~padding);
        const uint8_t *descriptor = notes.at;
        lt_bytes_skip(&notes, (size + padding) & ~padding);
        if (notes.bad)
            return;
        if (name_size == 4)
            see_note(module, type, name, descriptor, size);
    }
}

/* Whether [vaddr, vaddr + size) lies inside a readable segment. */
static bool is_mapped(const struct lt_module *module, uint64_t vaddr, uint64_t size) {
    for (uint32_t i = 0; i < module->segment_count; i++) {
        const struct lt_segment *s = &module->segments[i];
        if ((s->flags & PF_R) && vaddr >= s->vaddr && size <= s->memsz && vaddr - s->vaddr <= s->memsz - size)
            return true;
    }
    return false;
}

static void see_header(struct lt_module *module, const ElfW(Phdr) * header) {
    if (!is_mapped(module, header->p_vaddr, header->p_memsz))
        return;
    uintptr_t start = module->bias + header->p_vaddr;
    if (header->p_type == PT_GNU_EH_FRAME) {
        module->eh_frame_hdr = start;
    } else if (header->p_type == PT_NOTE) {
        const uint8_t *at = (const uint8_t *)start;
        read_notes(module, (struct lt_bytes){at, at + header->p_memsz, false}, header->p_align);
    }
}

void lt_headers_read(const struct lt_headers *headers, struct lt_module *module) {
    module->bias = headers->bias;
    module->headers = headers->at;
    module->headers_count = headers->count;
    module->headers_hash = lt_headers_hash(headers);
    for (uint32_t i = 0; i < headers->count; i++)
        if (headers->at[i].p_type == PT_LOAD)
            add_segment(module, &headers->at[i]);
    for (uint32_t i = 0; i < headers->count; i++)
        see_header(module, &headers->at[i]);
}
