#include "preload/golang.h"

#include <elf.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/auxv.h>

enum { GO_BUILD_ID = 4 }; /* cmd/link/internal/ld/elf.go: ELF_NOTE_GOBUILDID_TAG, name "Go\0\0" */

static size_t padded(size_t size) {
    return (size + 3) & ~(size_t)3;
}

static bool has_go_note(const char *at, size_t size) {
    Elf64_Nhdr note;
    while (size >= sizeof note) {
        memcpy(&note, at, sizeof note);
        const size_t length = sizeof note + padded(note.n_namesz) + padded(note.n_descsz);
        if (length > size)
            return false;
        if (note.n_type == GO_BUILD_ID && note.n_namesz == 4 && memcmp(at + sizeof note, "Go\0", 4) == 0)
            return true;
        at += length;
        size -= length;
    }
    return false;
}

bool lt_golang_is_main_program(void) {
    const Elf64_Phdr *headers = (const Elf64_Phdr *)getauxval(AT_PHDR);
    const unsigned long count = getauxval(AT_PHNUM);
    uintptr_t bias = 0;
    for (unsigned long i = 0; headers && i < count; i++)
        if (headers[i].p_type == PT_PHDR)
            bias = (uintptr_t)headers - headers[i].p_vaddr;
    for (unsigned long i = 0; headers && i < count; i++)
        if (headers[i].p_type == PT_NOTE && has_go_note((const char *)(bias + headers[i].p_vaddr), headers[i].p_memsz))
            return true;
    return false;
}
