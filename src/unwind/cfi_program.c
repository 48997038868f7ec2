#include "unwind/cfi_program.h"

#include "unwind/arch_native.h"

enum { REMEMBER_MAX = 4 };

enum instruction { /* the two high bits, or the whole byte where they are 0 */
                   CFA_ADVANCE_LOC = 0x40,
                   CFA_OFFSET = 0x80,
                   CFA_RESTORE = 0xc0,
                   CFA_NOP = 0x00,
                   CFA_SET_LOC = 0x01,
                   CFA_ADVANCE_LOC1 = 0x02,
                   CFA_ADVANCE_LOC2 = 0x03,
                   CFA_ADVANCE_LOC4 = 0x04,
                   CFA_OFFSET_EXTENDED = 0x05,
                   CFA_RESTORE_EXTENDED = 0x06,
                   CFA_UNDEFINED = 0x07,
                   CFA_SAME_VALUE = 0x08,
                   CFA_REGISTER = 0x09,
                   CFA_REMEMBER_STATE = 0x0a,
                   CFA_RESTORE_STATE = 0x0b,
                   CFA_DEF_CFA = 0x0c,
                   CFA_DEF_CFA_REGISTER = 0x0d,
                   CFA_DEF_CFA_OFFSET = 0x0e,
                   CFA_DEF_CFA_EXPRESSION = 0x0f,
                   CFA_EXPRESSION = 0x10,
                   CFA_OFFSET_EXTENDED_SF = 0x11,
                   CFA_DEF_CFA_SF = 0x12,
                   CFA_DEF_CFA_OFFSET_SF = 0x13,
                   CFA_VAL_OFFSET = 0x14,
                   CFA_VAL_OFFSET_SF = 0x15,
                   CFA_VAL_EXPRESSION = 0x16,
                   CFA_GNU_ARGS_SIZE = 0x2e,
                   CFA_GNU_NEGATIVE_OFFSET_EXTENDED = 0x2f,
};

struct program {
    struct lt_bytes in;
    const struct lt_cie *cie;
    uintptr_t location, pc;
    bool passed_pc, failed;
    unsigned depth;
    struct lt_cfi_row row, initial, remembered[REMEMBER_MAX];
};

uintptr_t lt_cfi_pointer(struct lt_bytes *in, uint8_t encoding, uintptr_t data_base) {
    enum { UDATA2 = 2, UDATA4 = 3, UDATA8 = 4, SDATA2 = 10, SDATA4 = 11, SDATA8 = 12, PCREL = 0x10, DATAREL = 0x30 };
    uintptr_t base = 0;
    if ((encoding & 0xf0) == PCREL)
        base = (uintptr_t)in->at;
    else if ((encoding & 0xf0) == DATAREL)
        base = data_base;
    else if ((encoding & 0xf0) != 0)
        lt_bytes_fail(in);
    switch (encoding & 0x0f) {
    case UDATA2:
        return base + lt_bytes_u16(in);
    case UDATA4:
        return base + lt_bytes_u32(in);
    case SDATA2:
        return base + (uintptr_t)(int16_t)lt_bytes_u16(in);
    case SDATA4:
        return base + (uintptr_t)(int32_t)lt_bytes_u32(in);
    case 0: /* absolute: a pointer's size */
    case UDATA8:
    case SDATA8:
        return base + lt_bytes_u64(in);
    default:
        lt_bytes_fail(in);
        return 0;
    }
}

static struct lt_saved *saved(struct lt_cfi_row *row, uint64_t reg) {
    return reg == LT_DWARF_FP ? &row->fp : reg == LT_DWARF_RA ? &row->ra : NULL;
}

/* Gives a register its rule; the rules of registers that unwinding doesn't need are dropped. */
static void set(struct program *p, uint64_t reg, struct lt_saved rule) {
    struct lt_saved *to = saved(&p->row, reg);
    if (to)
        *to = rule;
    else if (reg == LT_DWARF_SP)
        p->row.sp_is_cfa = rule.how == LT_SAVED_SAME;
}

static int32_t narrow(struct program *p, int64_t value) {
    p->failed |= value != (int32_t)value;
    return (int32_t)value;
}

static int64_t factored(const struct program *p, uint64_t value) {
    return (int64_t)(value * (uint64_t)p->cie->data_alignment);
}

static void set_offset(struct program *p, uint64_t reg, uint64_t value) {
    set(p, reg, (struct lt_saved){.how = LT_SAVED_AT_CFA, .value = narrow(p, factored(p, value))});
}

static void restore(struct program *p, uint64_t reg) {
    const struct lt_saved *from = saved(&p->initial, reg);
    if (from)
        set(p, reg, *from);
    else if (reg == LT_DWARF_SP)
        p->row.sp_is_cfa = p->initial.sp_is_cfa;
}

/* Expressions are kept as their distance from the CIE's instructions: half a pointer, as all is one section. */
static struct lt_saved read_expression(struct program *p, enum lt_saved_how how) {
    struct lt_bytes block = lt_bytes_take(&p->in, lt_bytes_uleb(&p->in));
    size_t size = lt_bytes_left(&block);
    p->failed |= size > UINT8_MAX;
    return (struct lt_saved){
        .how = (uint8_t)how, .expression_size = (uint8_t)size, .value = narrow(p, block.at - p->cie->instructions.at)};
}

struct lt_bytes lt_cfi_expression(const struct lt_cie *cie, const struct lt_saved *saved) {
    const uint8_t *at = cie->instructions.at + saved->value;
    return (struct lt_bytes){at, at + saved->expression_size, false};
}

static void define_cfa(struct program *p, uint64_t reg, int64_t offset) {
    p->row.cfa_register = reg < LT_CFA_EXPRESSION ? (uint8_t)reg : LT_CFA_UNDEFINED;
    p->row.cfa = (struct lt_saved){.how = LT_SAVED_AT_CFA, .value = narrow(p, offset)};
}

static void define_cfa_offset(struct program *p, int64_t offset) {
    p->failed |= p->row.cfa_register >= LT_CFA_EXPRESSION;
    define_cfa(p, p->row.cfa_register, offset);
}

static void define_cfa_register(struct program *p, uint64_t reg) {
    p->failed |= p->row.cfa_register >= LT_CFA_EXPRESSION;
    define_cfa(p, reg, p->row.cfa.value);
}

static void define_cfa_expression(struct program *p) {
    p->row.cfa_register = LT_CFA_EXPRESSION;
    p->row.cfa = read_expression(p, LT_SAVED_EXPRESSION);
}

static void go_to(struct program *p, uintptr_t location) {
    p->passed_pc = location > p->pc;
    p->location = location;
}

static void advance(struct program *p, uint64_t factored) {
    go_to(p, p->location + factored * p->cie->code_alignment);
}

static void remember(struct program *p) {
    if (p->depth == REMEMBER_MAX)
        p->failed = true;
    else
        p->remembered[p->depth++] = p->row;
}

static void recall(struct program *p) {
    if (p->depth == 0)
        p->failed = true;
    else
        p->row = p->remembered[--p->depth];
}

/* Instructions that say where in the function we are, or which row counts. False: not one of them. */
static bool execute_location(struct program *p, uint8_t instruction) {
    switch (instruction) {
    case CFA_NOP:
        return true;
    case CFA_SET_LOC:
        go_to(p, lt_cfi_pointer(&p->in, p->cie->pointer_encoding, 0));
        return true;
    case CFA_ADVANCE_LOC1:
        advance(p, lt_bytes_u8(&p->in));
        return true;
    case CFA_ADVANCE_LOC2:
        advance(p, lt_bytes_u16(&p->in));
        return true;
    case CFA_ADVANCE_LOC4:
        advance(p, lt_bytes_u32(&p->in));
        return true;
    case CFA_REMEMBER_STATE:
        remember(p);
        return true;
    case CFA_RESTORE_STATE:
        recall(p);
        return true;
    case CFA_GNU_ARGS_SIZE:
        lt_bytes_uleb(&p->in);
        return true;
    default:
        return false;
    }
}

/* Instructions that define the CFA. False: not one of them. */
static bool execute_cfa(struct program *p, uint8_t instruction) {
    struct lt_bytes *in = &p->in;
    uint64_t reg;
    switch (instruction) {
    case CFA_DEF_CFA:
        reg = lt_bytes_uleb(in);
        define_cfa(p, reg, (int64_t)lt_bytes_uleb(in));
        return true;
    case CFA_DEF_CFA_SF:
        reg = lt_bytes_uleb(in);
        define_cfa(p, reg, factored(p, (uint64_t)lt_bytes_sleb(in)));
        return true;
    case CFA_DEF_CFA_REGISTER:
        define_cfa_register(p, lt_bytes_uleb(in));
        return true;
    case CFA_DEF_CFA_OFFSET:
        define_cfa_offset(p, (int64_t)lt_bytes_uleb(in));
        return true;
    case CFA_DEF_CFA_OFFSET_SF:
        define_cfa_offset(p, factored(p, (uint64_t)lt_bytes_sleb(in)));
        return true;
    case CFA_DEF_CFA_EXPRESSION:
        define_cfa_expression(p);
        return true;
    default:
        return false;
    }
}

/* Instructions that say where a register was saved; all name the register first. */
static void execute_register(struct program *p, uint8_t instruction) {
    uint64_t reg = lt_bytes_uleb(&p->in);
    switch (instruction) {
    case CFA_OFFSET_EXTENDED:
        set_offset(p, reg, lt_bytes_uleb(&p->in));
        break;
    case CFA_OFFSET_EXTENDED_SF:
        set_offset(p, reg, (uint64_t)lt_bytes_sleb(&p->in));
        break;
    case CFA_GNU_NEGATIVE_OFFSET_EXTENDED:
        set_offset(p, reg, -lt_bytes_uleb(&p->in));
        break;
    case CFA_RESTORE_EXTENDED:
        restore(p, reg);
        break;
    case CFA_UNDEFINED:
        set(p, reg, (struct lt_saved){.how = LT_SAVED_UNDEFINED});
        break;
    case CFA_SAME_VALUE:
        set(p, reg, (struct lt_saved){.how = LT_SAVED_SAME});
        break;
    case CFA_REGISTER:
        set(p, reg, (struct lt_saved){.how = LT_SAVED_REGISTER, .value = narrow(p, (int64_t)lt_bytes_uleb(&p->in))});
        break;
    case CFA_EXPRESSION:
        set(p, reg, read_expression(p, LT_SAVED_EXPRESSION));
        break;
    case CFA_VAL_OFFSET:
    case CFA_VAL_OFFSET_SF:
        lt_bytes_uleb(&p->in);
        set(p, reg, (struct lt_saved){.how = LT_SAVED_OTHER});
        break;
    case CFA_VAL_EXPRESSION:
        set(p, reg, read_expression(p, LT_SAVED_OTHER));
        break;
    default:
        p->failed = true;
    }
}

static void execute(struct program *p) {
    uint8_t byte = lt_bytes_u8(&p->in), low = byte & 0x3f;
    switch (byte & 0xc0) {
    case CFA_ADVANCE_LOC:
        advance(p, low);
        break;
    case CFA_OFFSET:
        set_offset(p, low, lt_bytes_uleb(&p->in));
        break;
    case CFA_RESTORE:
        restore(p, low);
        break;
    default:
        if (!execute_location(p, byte) && !execute_cfa(p, byte))
            execute_register(p, byte);
    }
}

/* Runs until the end, or until the next row begins behind pc. */
static bool run(struct program *p, struct lt_bytes instructions) {
    p->in = instructions;
    while (lt_bytes_left(&p->in) && !p->failed && !p->passed_pc)
        execute(p);
    return !p->failed && !p->in.bad;
}

bool lt_cfi_run(const struct lt_cie *cie, struct lt_bytes instructions, uintptr_t start, uintptr_t pc,
                struct lt_cfi_row *row) {
    struct program p = {
        .cie = cie, .location = start, .pc = pc, .row = {.sp_is_cfa = true, .cfa_register = LT_CFA_UNDEFINED}};
    if (!run(&p, cie->instructions) || p.passed_pc)
        return false;
    p.initial = p.row;
    if (!run(&p, instructions))
        return false;
    *row = p.row;
    return true;
}
