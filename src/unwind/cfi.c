/* The steps are kept out of line: what one needs of the stack, the next uses again (a rule may have to be compiled on a
 * stack of a few kilobytes). */
#include "unwind/cfi.h"

#include "base/attrs.h"
#include "unwind/arch_native.h"
#include "unwind/bytes.h"
#include "unwind/cfi_expression.h"
#include "unwind/cfi_program.h"

#include <elf.h>

enum encoding { DATAREL_SDATA4 = 0x3b, DATAREL_SDATA8 = 0x3c, ABSENT = 0xff };

struct fde {
    struct lt_cie cie;
    struct lt_bytes instructions;
    uintptr_t start;
    uint64_t size;
};

/* A reader from `address` to the end of the readable segment that holds it; empty and bad where none does. */
static struct lt_bytes bytes_at(const struct lt_cfi_image *image, uintptr_t address) {
    static const uint8_t nothing[1]; /* not NULL: arithmetic on that is undefined, even by zero */
    for (uint32_t i = 0; i < image->segment_count; i++) {
        const struct lt_segment *s = &image->segments[i];
        uintptr_t offset = address - (image->bias + s->vaddr);
        if ((s->flags & PF_R) && offset < s->memsz)
            return (struct lt_bytes){(const uint8_t *)address, (const uint8_t *)address + (s->memsz - offset), false};
    }
    return (struct lt_bytes){nothing, nothing, true};
}

/* ---- .eh_frame_hdr: a sorted table of {start of a function, its FDE}, both relative to the header ---- */

struct table {
    const uint8_t *entries;
    uint64_t count;
    size_t width; /* of one of the two numbers */
    uintptr_t base;
};

static LT_NOINLINE bool open_table(const struct lt_cfi_image *image, struct table *t) {
    struct lt_bytes in = bytes_at(image, image->eh_frame_hdr);
    uint8_t version = lt_bytes_u8(&in), frame_encoding = lt_bytes_u8(&in);
    uint8_t count_encoding = lt_bytes_u8(&in), entry_encoding = lt_bytes_u8(&in);
    if (in.bad || version != 1 || (entry_encoding != DATAREL_SDATA4 && entry_encoding != DATAREL_SDATA8))
        return false;
    t->base = image->eh_frame_hdr;
    t->width = entry_encoding == DATAREL_SDATA4 ? 4 : 8;
    lt_cfi_pointer(&in, frame_encoding, t->base);
    t->count = lt_cfi_pointer(&in, count_encoding, t->base);
    t->entries = in.at;
    return !in.bad && t->count <= lt_bytes_left(&in) / (2 * t->width);
}

static uintptr_t table_number(const struct table *t, uint64_t index) {
    const uint8_t *at = t->entries + index * t->width;
    int32_t narrow;
    int64_t wide;
    if (t->width == sizeof narrow) {
        memcpy(&narrow, at, sizeof narrow);
        return t->base + (uintptr_t)narrow;
    }
    memcpy(&wide, at, sizeof wide);
    return t->base + (uintptr_t)wide;
}

/* The FDE of the last function that starts at or before pc; 0 where all start behind it. */
static uintptr_t search_table(const struct table *t, uintptr_t pc) {
    uint64_t low = 0, high = t->count;
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        if (table_number(t, 2 * middle) <= pc)
            low = middle + 1;
        else
            high = middle;
    }
    return low ? table_number(t, 2 * low - 1) : 0;
}

/* ---- .eh_frame: CIEs and FDEs ---- */

/* The body of the entry at `address`, behind its length; *id is its first word, *id_at the word's address. */
static struct lt_bytes open_entry(const struct lt_cfi_image *image, uintptr_t address, uint32_t *id, uintptr_t *id_at) {
    struct lt_bytes in = bytes_at(image, address);
    uint64_t length = lt_bytes_u32(&in);
    if (length == UINT32_MAX)
        length = lt_bytes_u64(&in);
    *id_at = (uintptr_t)in.at;
    struct lt_bytes body = lt_bytes_take(&in, length);
    *id = lt_bytes_u32(&body);
    return body;
}

static void parse_augmentation(struct lt_cie *cie, const uint8_t *letters, struct lt_bytes data) {
    for (; *letters; letters++) {
        switch (*letters) {
        case 'R':
            cie->pointer_encoding = lt_bytes_u8(&data);
            break;
        case 'P': {
            uint8_t encoding = lt_bytes_u8(&data);
            lt_cfi_pointer(&data, encoding & 0x7f, 0);
            break;
        }
        case 'L':
            lt_bytes_u8(&data);
            break;
        case 'S':
            cie->signal_frame = true;
            break;
        }
    }
}

static bool parse_cie(const struct lt_cfi_image *image, uintptr_t address, struct lt_cie *cie) {
    uint32_t id;
    uintptr_t id_at;
    struct lt_bytes in = open_entry(image, address, &id, &id_at);
    uint8_t version = lt_bytes_u8(&in);
    const uint8_t *augmentation = in.at;
    while (lt_bytes_u8(&in))
        ;
    if (in.bad || id != 0 || (version != 1 && version != 3) || (*augmentation && *augmentation != 'z'))
        return false;
    *cie = (struct lt_cie){.code_alignment = lt_bytes_uleb(&in)};
    cie->data_alignment = lt_bytes_sleb(&in);
    uint64_t ra_column = version == 1 ? lt_bytes_u8(&in) : lt_bytes_uleb(&in);
    if (*augmentation) {
        cie->augmented = true;
        parse_augmentation(cie, augmentation + 1, lt_bytes_take(&in, lt_bytes_uleb(&in)));
    }
    cie->instructions = in;
    return !in.bad && ra_column == LT_DWARF_RA;
}

static bool parse_fde(const struct lt_cfi_image *image, uintptr_t address, struct fde *fde) {
    uint32_t cie_distance;
    uintptr_t id_at;
    struct lt_bytes in = open_entry(image, address, &cie_distance, &id_at);
    if (in.bad || cie_distance == 0 || !parse_cie(image, id_at - cie_distance, &fde->cie))
        return false;
    fde->start = lt_cfi_pointer(&in, fde->cie.pointer_encoding, 0);
    fde->size = lt_cfi_pointer(&in, fde->cie.pointer_encoding & 0x0f, 0);
    if (fde->cie.augmented)
        lt_bytes_skip(&in, lt_bytes_uleb(&in));
    fde->instructions = in;
    return !in.bad;
}

/* ---- a row becomes a rule ---- */

/* What a row is turned into a rule with. */
struct place {
    const struct lt_cie *cie;
    const struct lt_cfi_row *row;
    uintptr_t ip;
    struct lt_value cfa;
};

static bool evaluate(const struct place *at, const struct lt_saved *saved, bool with_cfa, struct lt_value *value) {
    return lt_cfi_evaluate(lt_cfi_expression(at->cie, saved), at->ip, with_cfa ? &at->cfa : NULL, value);
}

static bool find_cfa(struct place *at) {
    if (at->row->cfa_register == LT_CFA_EXPRESSION)
        return evaluate(at, &at->row->cfa, false, &at->cfa);
    at->cfa = (struct lt_value){.at = at->row->cfa.value};
    if (at->row->cfa_register == LT_DWARF_SP)
        at->cfa.base = LT_BASE_SP;
    else if (at->row->cfa_register == LT_DWARF_FP)
        at->cfa.base = LT_BASE_FP;
    return at->cfa.base != LT_BASE_NONE;
}

static bool fits16(int64_t v) {
    return v >= INT16_MIN && v <= INT16_MAX;
}

static bool set_cfa(struct lt_rule *rule, const struct lt_value *cfa) {
    if (cfa->base == LT_BASE_NONE)
        return false;
    if (cfa->dereferenced) {
        rule->class = LT_RULE_ALIGNED;
        rule->flags |= cfa->base == LT_BASE_SP ? LT_RULE_BASE_SP : 0;
        rule->word.at = (int16_t)cfa->at;
        rule->word.add = (int16_t)cfa->add;
        return fits16(cfa->at) && fits16(cfa->add);
    }
    rule->class = cfa->base == LT_BASE_SP ? LT_RULE_SP : LT_RULE_FP;
    rule->cfa_offset = (int32_t)cfa->at;
    return cfa->at == rule->cfa_offset;
}

/* Where an expression says the caller's fp is: relative to fp as it stands, or, through the stack pointer, to the CFA.
 */
static bool fp_by_expression(const struct place *at, enum lt_rule_flag *flag, int64_t *offset) {
    struct lt_value value;
    if (!evaluate(at, &at->row->fp, true, &value) || value.dereferenced)
        return false;
    *flag = LT_RULE_FP_AT_FP;
    *offset = value.at;
    if (value.base == LT_BASE_FP)
        return true;
    *flag = LT_RULE_FP_AT_CFA;
    *offset = value.at - at->cfa.at;
    return value.base == LT_BASE_SP && at->cfa.base == LT_BASE_SP && !at->cfa.dereferenced;
}

static bool set_fp(struct lt_rule *rule, const struct place *at) {
    enum lt_rule_flag flag = LT_RULE_FP_AT_CFA;
    int64_t offset = at->row->fp.value;
    switch (at->row->fp.how) {
    case LT_SAVED_SAME:
    case LT_SAVED_UNDEFINED:
        return true;
    case LT_SAVED_AT_CFA:
        break;
    case LT_SAVED_EXPRESSION:
        if (!fp_by_expression(at, &flag, &offset))
            return false;
        break;
    default:
        return false;
    }
    rule->flags |= (uint8_t)flag;
    rule->fp_offset = (int16_t)offset;
    return fits16(offset);
}

/* The return address must be where a call pushed it; vfork's is the exception. */
static bool set_ra(struct lt_rule *rule, const struct lt_saved *ra) {
    if (ra->how == LT_SAVED_AT_CFA)
        return ra->value == -(int32_t)sizeof(uintptr_t);
    if (ra->how != LT_SAVED_REGISTER || ra->value != LT_DWARF_RDI || rule->class != LT_RULE_SP)
        return false;
    rule->class = LT_RULE_REGISTER_RA;
    return true;
}

/* The kernel's signal frame: CFA and return address are words of the ucontext at sp. */
static bool is_kernel_signal_frame(struct place *at) {
    struct lt_value ra;
    return at->row->ra.how == LT_SAVED_EXPRESSION && find_cfa(at) && at->cfa.dereferenced &&
           at->cfa.base == LT_BASE_SP && at->cfa.at == LT_UCONTEXT_SP && at->cfa.add == 0 &&
           evaluate(at, &at->row->ra, true, &ra) && !ra.dereferenced && ra.base == LT_BASE_SP &&
           ra.at == LT_UCONTEXT_IP;
}

static LT_NOINLINE struct lt_rule rule_of_row(const struct lt_cie *cie, const struct lt_cfi_row *row, uintptr_t ip) {
    struct lt_rule rule = {0};
    struct place at = {.cie = cie, .row = row, .ip = ip};
    if (row->ra.how == LT_SAVED_UNDEFINED)
        return (struct lt_rule){.class = LT_RULE_END};
    if (!row->sp_is_cfa)
        return (struct lt_rule){.class = is_kernel_signal_frame(&at) ? LT_RULE_SIGNAL : LT_RULE_NONE};
    if (!find_cfa(&at) || !set_cfa(&rule, &at.cfa) || !set_fp(&rule, &at) || !set_ra(&rule, &row->ra))
        return (struct lt_rule){0};
    return rule;
}

enum find { FIND_MALFORMED, FIND_NONE, FIND_FDE };

static LT_NOINLINE enum find find_fde(const struct lt_cfi_image *image, const struct table *table, uintptr_t pc,
                                      struct fde *fde) {
    uintptr_t entry = search_table(table, pc);
    if (entry == 0)
        return FIND_NONE;
    if (!parse_fde(image, entry, fde))
        return FIND_MALFORMED;
    return pc - fde->start < fde->size ? FIND_FDE : FIND_NONE;
}

/* A return address that no call is in front of, and that is where a function starts: makecontext() put it at the outer
 * end of a coroutine's stack. */
static bool starts_a_stack(const struct lt_cfi_image *image, const struct table *table, uintptr_t ip, struct fde *fde) {
    return find_fde(image, table, ip, fde) == FIND_FDE && fde->start == ip;
}

bool lt_cfi_compile(const struct lt_cfi_image *image, uintptr_t ip, bool interrupted, struct lt_rule *rule) {
    uintptr_t pc = interrupted ? ip : ip - 1;
    struct table table;
    struct fde fde;
    struct lt_cfi_row row;
    *rule = (struct lt_rule){0};
    if (!open_table(image, &table))
        return true;
    switch (find_fde(image, &table, pc, &fde)) {
    case FIND_FDE:
        if (lt_cfi_run(&fde.cie, fde.instructions, fde.start, pc, &row))
            *rule = rule_of_row(&fde.cie, &row, ip);
        return true;
    case FIND_NONE:
        if (interrupted || !starts_a_stack(image, &table, ip, &fde))
            return false;
        rule->class = LT_RULE_END;
        return true;
    default:
        return true;
    }
}
