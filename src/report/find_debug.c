/* One Dwfl per file: a damaged file spoils nothing but itself, and files can be closed one by one. */
#include "report/find_debug.h"

#include "report/debuginfod.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static LT_STATUS list_code_segments(struct lt_debug_file *file) {
    size_t count = 0;
    if (elf_getphdrnum(file->elf, &count) != 0)
        return -ENOEXEC;
    for (size_t i = 0; i < count; i++) {
        GElf_Phdr segment;
        if (!gelf_getphdr(file->elf, (int)i, &segment) || segment.p_type != PT_LOAD || !(segment.p_flags & PF_X))
            continue;
        if (segment.p_memsz > UINT64_MAX - segment.p_vaddr)
            return -ENOEXEC;
        if (lt_ranges_add(&file->code, segment.p_vaddr, segment.p_vaddr + segment.p_memsz, (uint32_t)i) != 0)
            return -ENOMEM;
    }
    lt_ranges_sort(&file->code);
    return 0;
}

LT_STATUS lt_debug_file_open(struct lt_debug_file *file, struct lt_symbol_run *run, int fd, const char *path) {
    *file = (struct lt_debug_file){.callbacks = {
                                       .find_elf = dwfl_build_id_find_elf,
                                       .find_debuginfo = dwfl_standard_find_debuginfo,
                                       .section_address = dwfl_offline_section_address,
                                       .debuginfo_path = &run->debuginfo_path,
                                   }};
    file->dwfl = dwfl_begin(&file->callbacks);
    if (file->dwfl)
        file->module = dwfl_report_offline(file->dwfl, path, path, fd);
    if (!file->module) {
        close(fd);
        return file->dwfl ? -ENOEXEC : -ENOMEM;
    }
    dwfl_report_end(file->dwfl, NULL, NULL);
    file->elf = dwfl_module_getelf(file->module, &file->bias);
    return file->elf ? list_code_segments(file) : -ENOEXEC;
}

Dwarf *lt_debug_file_dwarf(struct lt_debug_file *file, struct lt_symbol_run *run, uint64_t *delta) {
    if (run->use_debuginfod)
        lt_debuginfod_watch(run, dwfl_get_debuginfod_client(file->dwfl));
    Dwarf_Addr dwarf_bias = 0;
    Dwarf *dwarf = dwfl_module_getdwarf(file->module, &dwarf_bias);
    *delta = file->bias - dwarf_bias;
    return dwarf;
}

/* libdw decompresses in place, so what is still compressed once it has read the file is what it could not read. */
static bool is_left_compressed(Elf *elf, Elf_Scn *section) {
    GElf_Shdr header;
    GElf_Chdr compression;
    size_t names;
    if (!gelf_getshdr(section, &header) || !(header.sh_flags & SHF_COMPRESSED) || elf_getshdrstrndx(elf, &names) != 0)
        return false;
    const char *name = elf_strptr(elf, names, header.sh_name);
    return name && strncmp(name, ".debug_", 7) == 0 && gelf_getchdr(section, &compression) &&
           compression.ch_type != ELFCOMPRESS_ZLIB;
}

static bool has_compressed_sections(Elf *elf) {
    for (Elf_Scn *section = NULL; (section = elf_nextscn(elf, section)) != NULL;)
        if (is_left_compressed(elf, section))
            return true;
    return false;
}

bool lt_debug_file_has_unknown_compression(struct lt_debug_file *file) {
    if (has_compressed_sections(file->elf))
        return true;
    const char *debug_path = NULL;
    dwfl_module_info(file->module, NULL, NULL, NULL, NULL, NULL, NULL, &debug_path);
    int fd = debug_path ? open(debug_path, O_RDONLY | O_CLOEXEC | O_NONBLOCK) : -1;
    if (fd < 0)
        return false;
    Elf *elf = elf_begin(fd, ELF_C_READ_MMAP, NULL);
    bool found = has_compressed_sections(elf);
    elf_end(elf);
    close(fd);
    return found;
}

void lt_debug_file_close(struct lt_debug_file *file) {
    if (file->dwfl)
        dwfl_end(file->dwfl);
    lt_ranges_free(&file->code);
}
