/* A Go program's file as the loader would lay it out: what stands at an address, with the relocations of a
 * position-independent program applied. For 64-bit little-endian files. The file is untrusted: every read is checked.
 */
#ifndef LT_REPORT_GO_IMAGE_H
#define LT_REPORT_GO_IMAGE_H

#include "base/status.h"

#include <libelf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct lt_go_bytes {
    const uint8_t *at;
    size_t size;
    uint64_t vaddr; /* where they are loaded */
};

struct lt_go_relocation {
    uint64_t vaddr, value;
};

struct lt_go_image {
    Elf *elf;
    struct lt_go_relocation *relocations; /* of the kind "load bias + value", ascending */
    size_t count, capacity;
};

/* `elf` must outlive the image. Returns 0, or -ENOEXEC for a file of another class. */
LT_STATUS lt_go_image_open(struct lt_go_image *image, Elf *elf);

/* Reads the relocations, which the words below need. Returns 0 or -ENOMEM. */
LT_STATUS lt_go_image_relocate(struct lt_go_image *image);
void lt_go_image_close(struct lt_go_image *image);

/* The loaded section of that name, empty where there is none. */
struct lt_go_bytes lt_go_image_section(const struct lt_go_image *image, const char *name);

/* The first place, at a multiple of 8 in a loaded section, that `accept` accepts: it gets the bytes from there to the
 * section's end. Empty where there is none. */
struct lt_go_bytes lt_go_image_scan(const struct lt_go_image *image, bool (*accept)(const struct lt_go_bytes *bytes));

/* The bytes from `vaddr` to the end of the section that holds it; empty where none does. */
struct lt_go_bytes lt_go_image_at(const struct lt_go_image *image, uint64_t vaddr);

/* The 8-byte word at `vaddr`: false where no section holds it. */
bool lt_go_image_word(const struct lt_go_image *image, uint64_t vaddr, uint64_t *word);

/* The lowest address above `after`, a multiple of 8 in a writable section, whose word is `word`; 0 = none. */
uint64_t lt_go_image_find(const struct lt_go_image *image, uint64_t word, uint64_t after);

#endif
