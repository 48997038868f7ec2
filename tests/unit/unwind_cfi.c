/* Unwind information by hand, row by row; then the same bytes cut and bent at every place: never a read outside of them
 * (AddressSanitizer watches the debug build), never a rule out of nothing. */
#include "unwind/cfi.h"

#include "base/attrs.h"
#include "unit.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

enum { CODE = 0x100000, CODE_SIZE = 0x1000, FRAME_OFFSET = 64 }; /* relative to the image */

/* DW_CFA_* and DW_OP_* of the programs below. */
#define ADVANCE(n)             (0x40 | (n))
#define OFFSET(reg, n)         (0x80 | (reg)), (n)
#define RESTORE(reg)           (0xc0 | (reg))
#define DEF_CFA(reg, n)        0x0c, (reg), (n)
#define DEF_CFA_OFFSET(n)      0x0e, (n)
#define DEF_CFA_REGISTER(reg)  0x0d, (reg)
#define DEF_CFA_EXPRESSION(n)  0x0f, (n)
#define EXPRESSION(reg, n)     0x10, (reg), (n)
#define VAL_EXPRESSION(reg, n) 0x16, (reg), (n)
#define UNDEFINED(reg)         0x07, (reg)
#define SAME_VALUE(reg)        0x08, (reg)
#define REGISTER(reg, in)      0x09, (reg), (in)
#define REMEMBER               0x0a
#define RECALL                 0x0b
#define ARGS_SIZE(n)           0x2e, (n)
#define BREG(reg, n)           (0x70 | (reg)), (n)
#define DEREF                  0x06

enum { RDI = 5, RBP = 6, RSP = 7, R10 = 10, RIP = 16 };

struct image {
    uint8_t *bytes;
    size_t size;
    struct lt_segment segment;
    struct lt_cfi_image cfi;
};

static void put32(uint8_t *at, size_t value) {
    uint32_t v = (uint32_t)value;
    memcpy(at, &v, sizeof v);
}

/* | header, table of one function | at FRAME_OFFSET: CIE | FDE | in a block of just that size. */
static struct image image_new(const char *augmentation, const uint8_t *program, size_t size) {
    static const uint8_t initial[] = {DEF_CFA(RSP, 8), OFFSET(RIP, 1), 0};
    struct image image = {.size = FRAME_OFFSET};
    uint8_t b[1024] = {1, 0x1b, 0x03, 0x3b}; /* pcrel sdata4, udata4, datarel sdata4 */
    put32(b + 4, FRAME_OFFSET - 4);
    put32(b + 8, 1);
    put32(b + 12, CODE);
    size_t n = FRAME_OFFSET + 8;
    b[n++] = 1;
    memcpy(b + n, augmentation, strlen(augmentation) + 1);
    n += strlen(augmentation) + 1;
    const uint8_t head[] = {1, 0x78, RIP, 1,
                            0x1b}; /* alignments 1 and -8, the column, one byte of augmentation: pcrel sdata4 */
    memcpy(b + n, head, sizeof head);
    n += sizeof head;
    memcpy(b + n, initial, sizeof initial);
    n += sizeof initial;
    put32(b + FRAME_OFFSET, n - FRAME_OFFSET - 4);
    size_t fde = n;
    put32(b + 16, fde);
    put32(b + fde + 4, fde + 4 - FRAME_OFFSET);
    put32(b + fde + 8, CODE - (fde + 8));
    put32(b + fde + 12, CODE_SIZE);
    n = fde + 17; /* no augmentation data */
    memcpy(b + n, program, size);
    n += size;
    put32(b + fde, n - fde - 4);
    image.size = n;
    image.bytes = malloc(n);
    memcpy(image.bytes, b, n);
    image.segment = (struct lt_segment){.memsz = n, .flags = PF_R};
    image.cfi = (struct lt_cfi_image){(uintptr_t)image.bytes, (uintptr_t)image.bytes, NULL, 1};
    return image;
}

static bool compile(struct image *image, uintptr_t offset, bool interrupted, struct lt_rule *rule) {
    image->cfi.segments = &image->segment;
    return lt_cfi_compile(&image->cfi, (uintptr_t)image->bytes + CODE + offset, interrupted, rule);
}

/* The rule of a return address `offset` bytes into the function. */
static struct lt_rule rule_at(const uint8_t *program, size_t size, uintptr_t offset) {
    struct image image = image_new("zR", program, size);
    struct lt_rule rule;
    assert_true(compile(&image, offset, false, &rule));
    free(image.bytes);
    return rule;
}

#define RULE_AT(offset, ...) rule_at((const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}), offset)

static void rows_follow_the_program_counter(void **state) {
    (void)state;
#define PUSH_RBP                                                                                                       \
    ADVANCE(1), DEF_CFA_OFFSET(16), OFFSET(RBP, 2), ADVANCE(3), DEF_CFA_REGISTER(RBP), ADVANCE(20), DEF_CFA(RSP, 8),   \
        RESTORE(RBP)
    struct lt_rule rule = RULE_AT(1, PUSH_RBP);
    assert_true(rule.class == LT_RULE_SP && rule.cfa_offset == 8 && rule.flags == 0);
    rule = RULE_AT(2, PUSH_RBP);
    assert_true(rule.class == LT_RULE_SP && rule.cfa_offset == 16 && rule.flags == LT_RULE_FP_AT_CFA &&
                rule.fp_offset == -16);
    rule = RULE_AT(24, PUSH_RBP); /* the last byte before the next row */
    assert_true(rule.class == LT_RULE_FP && rule.cfa_offset == 16 && rule.fp_offset == -16);
    rule = RULE_AT(25, PUSH_RBP);
    assert_true(rule.class == LT_RULE_SP && rule.cfa_offset == 8 && rule.flags == 0);
    rule = RULE_AT(CODE_SIZE, PUSH_RBP); /* behind the last instruction: a call that never returns */
    assert_true(rule.class == LT_RULE_SP && rule.cfa_offset == 8);
}

static void an_interrupted_frame_has_the_row_of_its_instruction(void **state) {
    (void)state;
    const uint8_t program[] = {ADVANCE(4), DEF_CFA_OFFSET(32)};
    struct image image = image_new("zR", program, sizeof program);
    struct lt_rule rule;
    assert_true(compile(&image, 4, false, &rule) && rule.cfa_offset == 8);
    assert_true(compile(&image, 4, true, &rule) && rule.cfa_offset == 32);
    assert_true(compile(&image, 0, true, &rule) && rule.cfa_offset == 8);
    assert_false(compile(&image, CODE_SIZE, true, &rule));
    assert_false(compile(&image, CODE_SIZE + 1, false, &rule));
    assert_false(compile(&image, (uintptr_t)-5, false, &rule));
    assert_true(compile(&image, 0, false, &rule) && rule.class == LT_RULE_END); /* a return address, but no call */
    free(image.bytes);
}

static void states_are_remembered(void **state) {
    (void)state;
    struct lt_rule rule = RULE_AT(9, DEF_CFA_OFFSET(16), OFFSET(RBP, 2), REMEMBER, ADVANCE(2), DEF_CFA_OFFSET(8),
                                  RESTORE(RBP), ARGS_SIZE(4), ADVANCE(2), RECALL);
    assert_true(rule.class == LT_RULE_SP && rule.cfa_offset == 16 && rule.fp_offset == -16);
    assert_int_equal(RULE_AT(9, RECALL).class, LT_RULE_NONE);
    assert_int_equal(RULE_AT(9, REMEMBER, REMEMBER, REMEMBER, REMEMBER, REMEMBER).class, LT_RULE_NONE);
}

static void the_return_address_may_be_undefined_or_in_a_register(void **state) {
    (void)state;
    assert_int_equal(RULE_AT(9, UNDEFINED(RIP)).class, LT_RULE_END);
    assert_int_equal(RULE_AT(9, REGISTER(RIP, RDI)).class, LT_RULE_REGISTER_RA);
    assert_int_equal(RULE_AT(9, REGISTER(RIP, R10)).class, LT_RULE_NONE);
    assert_int_equal(RULE_AT(9, OFFSET(RIP, 2)).class, LT_RULE_NONE);
    assert_int_equal(RULE_AT(9, SAME_VALUE(RIP)).class, LT_RULE_NONE);
}

static void realigned_frames_read_their_cfa(void **state) {
    (void)state;
    struct lt_rule rule = RULE_AT(9, EXPRESSION(RBP, 2), BREG(RBP, 0), DEF_CFA_EXPRESSION(3), BREG(RBP, 0x78), DEREF);
    assert_true(rule.class == LT_RULE_ALIGNED && rule.word.at == -8 && rule.word.add == 0);
    assert_true(rule.flags == LT_RULE_FP_AT_FP && rule.fp_offset == 0);
    rule = RULE_AT(9, DEF_CFA_EXPRESSION(5), BREG(RSP, 40), DEREF, 0x23, 8);
    assert_true(rule.class == LT_RULE_ALIGNED && rule.word.at == 40 && rule.word.add == 8);
    assert_true(rule.flags == LT_RULE_BASE_SP);
}

static void plt_stubs_have_constant_rules(void **state) {
    (void)state;
    /* rsp + 8 + ((rip & 15) >= 11) << 3 */
    const uint8_t program[] = {DEF_CFA_EXPRESSION(11), BREG(RSP, 8), 0x80, 0, 0x3f, 0x1a, 0x3b, 0x2a, 0x33, 0x24, 0x22};
    struct image image = image_new("zR", program, sizeof program);
    struct lt_rule rule;
    uintptr_t base = (uintptr_t)image.bytes + CODE;
    for (uintptr_t offset = 16 - base % 16; offset < 48; offset++) {
        assert_true(compile(&image, offset, true, &rule));
        assert_int_equal(rule.class, LT_RULE_SP);
        assert_int_equal(rule.cfa_offset, (base + offset) % 16 >= 11 ? 16 : 8);
    }
    free(image.bytes);
}

static void signal_frames_are_the_kernels_or_none(void **state) {
    (void)state;
    const uint8_t kernel[] = {DEF_CFA_EXPRESSION(4), BREG(RSP, 0xa0), 1, DEREF, EXPRESSION(RSP, 3), BREG(RSP, 0xa0), 1,
                              EXPRESSION(RIP, 3),    BREG(RSP, 0xa8), 1};
    struct image image = image_new("zRS", kernel, sizeof kernel);
    struct lt_rule rule;
    assert_true(compile(&image, 9, false, &rule));
    assert_int_equal(rule.class, LT_RULE_SIGNAL);
    image.bytes[image.size - 2] ^= 8; /* another place for the program counter */
    assert_true(compile(&image, 9, false, &rule));
    assert_int_equal(rule.class, LT_RULE_NONE);
    free(image.bytes);
}

static void what_no_class_holds_is_none(void **state) {
    (void)state;
    assert_int_equal(RULE_AT(9, DEF_CFA_REGISTER(R10)).class, LT_RULE_NONE);
    assert_int_equal(RULE_AT(9, DEF_CFA_EXPRESSION(2), BREG(R10, 0)).class, LT_RULE_NONE);
    assert_int_equal(RULE_AT(9, DEF_CFA_EXPRESSION(4), BREG(RBP, 0), DEREF, DEREF).class, LT_RULE_NONE);
    assert_int_equal(RULE_AT(9, DEF_CFA_EXPRESSION(1), 0x31).class, LT_RULE_NONE);
    assert_int_equal(RULE_AT(9, DEF_CFA_EXPRESSION(0)).class, LT_RULE_NONE);
    assert_int_equal(RULE_AT(9, VAL_EXPRESSION(RBP, 2), BREG(RBP, 0)).class, LT_RULE_NONE);
    assert_int_equal(RULE_AT(9, REGISTER(RBP, R10)).class, LT_RULE_NONE);
    assert_int_equal(RULE_AT(9, DEF_CFA(RBP, 0xff), 0xff, 0xff, 0xff, 0xff, 0x7f).class, LT_RULE_NONE);
    assert_int_equal(RULE_AT(9, 0x3f).class, LT_RULE_NONE);                               /* an unknown instruction */
    assert_int_equal(RULE_AT(9, VAL_EXPRESSION(R10, 2), BREG(RBP, 0)).class, LT_RULE_SP); /* nobody needs r10 */
}

static void tables_of_other_encodings_are_none(void **state) {
    const uint8_t bent[][2] = {{0, 2}, {3, 0x1b}, {3, 0xff}, {2, 0xff}, {1, 0x55}};
    (void)state;
    for (unsigned i = 0; i < LT_ARRAY_SIZE(bent); i++) {
        struct image image = image_new("zR", (const uint8_t[]){0}, 1);
        struct lt_rule rule;
        image.bytes[bent[i][0]] = bent[i][1];
        assert_true(compile(&image, 9, false, &rule));
        assert_int_equal(rule.class, LT_RULE_NONE);
        free(image.bytes);
    }
}

/* ---- hostile bytes ---- */

static const uint8_t everything[] = {ADVANCE(1),
                                     DEF_CFA_OFFSET(16),
                                     OFFSET(RBP, 2),
                                     REMEMBER,
                                     ADVANCE(3),
                                     DEF_CFA_REGISTER(RBP),
                                     EXPRESSION(RBP, 2),
                                     BREG(RBP, 0),
                                     DEF_CFA_EXPRESSION(3),
                                     BREG(RBP, 0x78),
                                     DEREF,
                                     0x02,
                                     4,
                                     0x03,
                                     4,
                                     0,
                                     0x04,
                                     4,
                                     0,
                                     0,
                                     0,
                                     RECALL,
                                     0x05,
                                     RBP,
                                     2,
                                     0x11,
                                     RBP,
                                     2,
                                     0x12,
                                     RSP,
                                     0x7f,
                                     0x13,
                                     0x7f,
                                     0x2f,
                                     RBP,
                                     2,
                                     ARGS_SIZE(8),
                                     0x16,
                                     RBP,
                                     1,
                                     0x96,
                                     0x14,
                                     R10,
                                     1};

static void every_cut_is_survived(void **state) {
    (void)state;
    struct image whole = image_new("zR", everything, sizeof everything);
    for (size_t size = 0; size <= whole.size; size++) {
        struct image cut = whole;
        struct lt_rule rule;
        cut.bytes = malloc(size ? size : 1);
        memcpy(cut.bytes, whole.bytes, size);
        cut.segment.memsz = size;
        cut.cfi.bias = cut.cfi.eh_frame_hdr = (uintptr_t)cut.bytes;
        for (uintptr_t offset = 1; offset < 40; offset++) {
            bool covered = compile(&cut, offset, false, &rule);
            if (size < whole.size)
                assert_true(covered && rule.class == LT_RULE_NONE);
        }
        free(cut.bytes);
    }
    free(whole.bytes);
}

static void every_bent_byte_is_survived(void **state) {
    (void)state;
    struct image image = image_new("zPLR", everything, sizeof everything);
    for (size_t i = 0; i < image.size; i++) {
        uint8_t right = image.bytes[i];
        for (unsigned value = 0; value < 256; value++) {
            struct lt_rule rule;
            image.bytes[i] = (uint8_t)value;
            for (uintptr_t offset = 1; offset < 40; offset += 3)
                compile(&image, offset, value & 1, &rule);
        }
        image.bytes[i] = right;
    }
    free(image.bytes);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_follow_the_program_counter),
        cmocka_unit_test(an_interrupted_frame_has_the_row_of_its_instruction),
        cmocka_unit_test(states_are_remembered),
        cmocka_unit_test(the_return_address_may_be_undefined_or_in_a_register),
        cmocka_unit_test(realigned_frames_read_their_cfa),
        cmocka_unit_test(plt_stubs_have_constant_rules),
        cmocka_unit_test(signal_frames_are_the_kernels_or_none),
        cmocka_unit_test(what_no_class_holds_is_none),
        cmocka_unit_test(tables_of_other_encodings_are_none),
        cmocka_unit_test(every_cut_is_survived),
        cmocka_unit_test(every_bent_byte_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
