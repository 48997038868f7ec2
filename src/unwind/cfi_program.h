/* The interpreter of call frame instructions (DWARF 5 §6.4.2): runs the program of one function up to one program
 * counter. The result is that row of the function's table: where the CFA, the frame pointer and the return address are.
 */
#ifndef LT_UNWIND_CFI_PROGRAM_H
#define LT_UNWIND_CFI_PROGRAM_H

#include "unwind/bytes.h"

#include <stdbool.h>
#include <stdint.h>

enum lt_saved_how {
    LT_SAVED_SAME,       /* the caller's value is still in the register */
    LT_SAVED_AT_CFA,     /* in memory at CFA + offset */
    LT_SAVED_EXPRESSION, /* in memory at the address an expression gives */
    LT_SAVED_REGISTER,   /* in another register: offset is its number */
    LT_SAVED_UNDEFINED,  /* lost; for the return address: there is no caller */
    LT_SAVED_OTHER,      /* a computed value (val_offset, val_expression) */
};

/* Small: the interpreter keeps several rows on a stack that may be small itself. */
struct lt_saved {
    uint8_t how; /* enum lt_saved_how */
    uint8_t expression_size;
    int32_t value; /* offset, register number, or where the expression is: see lt_cfi_expression */
};

enum { LT_CFA_UNDEFINED = UINT8_MAX, LT_CFA_EXPRESSION = UINT8_MAX - 1 };

/* One row. */
struct lt_cfi_row {
    struct lt_saved fp, ra;
    struct lt_saved cfa;  /* value is what is added to the register; an expression gives the CFA itself */
    uint8_t cfa_register; /* DWARF number, or one of the two above */
    bool sp_is_cfa;       /* false where the stack pointer has a rule of its own: a signal frame */
};

/* What the CIE says for all functions that share it. */
struct lt_cie {
    struct lt_bytes instructions;
    uint64_t code_alignment;
    int64_t data_alignment;
    uint8_t pointer_encoding; /* of the addresses in its FDEs */
    bool augmented;           /* 'z': an FDE has augmentation data */
    bool signal_frame;        /* 'S' */
};

/* Runs the CIE's instructions, then `instructions` (an FDE's, for the function at `start`) up to `pc`. False where they
 * are malformed or beyond what the interpreter knows. */
bool lt_cfi_run(const struct lt_cie *, struct lt_bytes instructions, uintptr_t start, uintptr_t pc,
                struct lt_cfi_row *row);

/* The bytes of an expression in a row that was made with this CIE. */
struct lt_bytes lt_cfi_expression(const struct lt_cie *, const struct lt_saved *);

/* A pointer in the encoding that eh_frame uses (DW_EH_PE_*): `data_base` is what the datarel ones count from. Sets
 * in->bad for an encoding that unwind tables don't use (indirect, aligned, textrel, funcrel). */
uintptr_t lt_cfi_pointer(struct lt_bytes *in, uint8_t encoding, uintptr_t data_base);

#endif
