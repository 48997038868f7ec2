#include "report/go_build_id.h"

#include <gelf.h>

enum { GO_BUILD_ID = 4 }; /* cmd/link/internal/ld/elf.go: ELF_NOTE_GOBUILDID_TAG */

/* A dump may keep the beginning only. */
static bool begins_with(const char *text, size_t size, const struct lt_dump_module *module) {
    const size_t prefix = sizeof LT_GO_BUILD_ID_PREFIX - 1, kept = module->build_id_size - prefix;
    return size >= kept && memcmp(text, module->build_id + prefix, kept) == 0;
}

static bool is_in(Elf_Data *notes, const struct lt_dump_module *module) {
    GElf_Nhdr note;
    size_t name, id;
    for (size_t at = 0; notes && (at = gelf_getnote(notes, at, &note, &name, &id)) != 0;) {
        const char *bytes = notes->d_buf;
        if (note.n_type == GO_BUILD_ID && note.n_namesz == 4 && memcmp(bytes + name, "Go\0", 4) == 0)
            return begins_with(bytes + id, note.n_descsz, module);
    }
    return false;
}

bool lt_go_build_id_is(Elf *elf, const struct lt_dump_module *module) {
    GElf_Shdr header;
    for (Elf_Scn *section = NULL; (section = elf_nextscn(elf, section)) != NULL;)
        if (gelf_getshdr(section, &header) && header.sh_type == SHT_NOTE && is_in(elf_getdata(section, NULL), module))
            return true;
    return false;
}
