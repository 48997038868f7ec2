/* Gives the compiler of unwind rules an image of unwind information and some addresses to look up. The input:
 *
 *   at 0  u16  where in the image .eh_frame_hdr begins
 *      2  u8   bit 0: the address is that of an interrupted instruction
 *      3  u8   distance between the addresses that are looked up
 *      4  i32  the first address, relative to the header
 *      8  the image
 *
 * Whatever the bytes: no read outside the image (ASan watches), no fault, the same rule every time, and a known one. */
#include "unwind/cfi.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { PREFIX = 8, LOOKUPS = 16 };

static const uint8_t known_flags = LT_RULE_FP_AT_CFA | LT_RULE_FP_AT_FP | LT_RULE_BASE_SP;

static void check(bool condition) {
    if (!condition)
        abort();
}

static void look_up(const struct lt_cfi_image *image, uintptr_t ip, bool interrupted) {
    struct lt_rule rule, again;
    const bool covered = lt_cfi_compile(image, ip, interrupted, &rule);
    check(rule.class <= LT_RULE_END && (rule.flags & ~known_flags) == 0);
    check(covered || rule.class == LT_RULE_NONE);
    check(lt_cfi_compile(image, ip, interrupted, &again) == covered && memcmp(&rule, &again, sizeof rule) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    uint16_t header;
    int32_t first;
    if (size <= PREFIX)
        return 0;
    memcpy(&header, data, sizeof header);
    memcpy(&first, data + 4, sizeof first);
    const bool interrupted = data[2] & 1;
    const unsigned step = data[3];

    uint8_t *bytes = malloc(size - PREFIX);
    check(bytes != NULL);
    memcpy(bytes, data + PREFIX, size - PREFIX);
    const struct lt_segment segment = {.vaddr = 0, .memsz = size - PREFIX, .flags = PF_R};
    const struct lt_cfi_image image = {
        .eh_frame_hdr = (uintptr_t)bytes + header,
        .bias = (uintptr_t)bytes,
        .segments = &segment,
        .segment_count = 1,
    };
    for (unsigned i = 0; i < LOOKUPS; i++)
        look_up(&image, image.eh_frame_hdr + (uintptr_t)(intptr_t)first + i * step, interrupted);
    free(bytes);
    return 0;
}
