#include "unwind/module_elf.h"

#include "base/hash.h"
#include "os/memory.h"
#include "unwind/bytes.h"

#include <elf.h>
#include <link.h>

static bool is_elf(const ElfW(Ehdr) * elf) {
    return memcmp(elf->e_ident, ELFMAG, SELFMAG) == 0 && elf->e_ident[EI_CLASS] == ELFCLASS64 &&
           elf->e_phentsize == sizeof(ElfW(Phdr)) && elf->e_phoff <= LT_PAGE &&
           elf->e_phnum * sizeof(ElfW(Phdr)) <= LT_PAGE - elf->e_phoff;
}

static void add_segment(struct lt_module *module, const ElfW(Phdr) * segment) {
    if (module->segment_count == LT_MODULE_SEGMENTS_MAX)
        return;
    module->segments[module->segment_count++] =
        (struct lt_segment){segment->p_vaddr, segment->p_memsz, segment->p_offset, segment->p_flags};
    uintptr_t end = module->bias + segment->p_vaddr + segment->p_memsz;
    if (end > module->end)
        module->end = end;
}

/* Notes are {name size, descriptor size, type, name, descriptor}, both padded to the segment's alignment. */
static void find_build_id(struct lt_module *module, struct lt_bytes notes, uint64_t align) {
    uint32_t padding = align == 8 ? 7 : 3;
    while (lt_bytes_left(&notes) && module->build_id_size == 0) {
        uint32_t name_size = lt_bytes_u32(&notes), size = lt_bytes_u32(&notes), type = lt_bytes_u32(&notes);
        const uint8_t *name = notes.at;
        lt_bytes_skip(&notes, ((uint64_t)name_size + padding) & ~(uint64_t)padding);
        const uint8_t *descriptor = notes.at;
        lt_bytes_skip(&notes, ((uint64_t)size + padding) & ~(uint64_t)padding);
        if (notes.bad || type != NT_GNU_BUILD_ID || name_size != sizeof "GNU" || memcmp(name, "GNU", name_size) != 0)
            continue;
        module->build_id_size = size < LT_BUILD_ID_MAX ? size : LT_BUILD_ID_MAX;
        module->build_id_at = descriptor;
        memcpy(module->build_id, descriptor, module->build_id_size);
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

static void see_extra(struct lt_module *module, const ElfW(Phdr) * extra) {
    if (!is_mapped(module, extra->p_vaddr, extra->p_memsz))
        return;
    uintptr_t start = module->bias + extra->p_vaddr;
    if (extra->p_type == PT_GNU_EH_FRAME) {
        module->eh_frame_hdr = start;
    } else if (extra->p_type == PT_NOTE) {
        const uint8_t *at = (const uint8_t *)start;
        find_build_id(module, (struct lt_bytes){at, at + extra->p_memsz, false}, extra->p_align);
    }
}

uint64_t lt_module_hash_headers(uintptr_t header) {
    const ElfW(Ehdr) *elf = (const ElfW(Ehdr) *)header;
    if (!is_elf(elf))
        return 0;
    return lt_hash_bytes(1, (const void *)(header + elf->e_phoff), elf->e_phnum * sizeof(ElfW(Phdr)));
}

bool lt_module_read_elf(uintptr_t header, struct lt_module *module) {
    const ElfW(Ehdr) *elf = (const ElfW(Ehdr) *)header;
    if (!is_elf(elf))
        return false;
    const ElfW(Phdr) *segments = (const ElfW(Phdr) *)(header + elf->e_phoff);
    *module = (struct lt_module){.start = header, .end = header, .headers_hash = lt_module_hash_headers(header)};
    bool first = true;
    for (unsigned i = 0; i < elf->e_phnum; i++) {
        if (segments[i].p_type != PT_LOAD)
            continue;
        if (first) /* the header is mapped where the first segment begins, rounded down to a page */
            module->bias = header - (segments[i].p_vaddr & ~(uintptr_t)(LT_PAGE - 1));
        first = false;
        add_segment(module, &segments[i]);
    }
    for (unsigned i = 0; i < elf->e_phnum; i++)
        see_extra(module, &segments[i]);
    return module->segment_count > 0;
}
