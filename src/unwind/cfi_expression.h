/* DWARF expressions in unwind information, reduced to the one form that a rule can hold:
 *
 *     base + at            (no dereference)         or        *(base + at) + add
 *
 * with base the stack pointer, the frame pointer or nothing. The program counter is a constant here, since a rule
 * belongs to one address: a PLT stub's rsp + 8 + ((rip & 15) >= 11) * 8 becomes rsp + 8 or rsp + 16. */
#ifndef LT_UNWIND_CFI_EXPRESSION_H
#define LT_UNWIND_CFI_EXPRESSION_H

#include "unwind/bytes.h"

#include <stdbool.h>
#include <stdint.h>

enum lt_base { LT_BASE_NONE, LT_BASE_SP, LT_BASE_FP };

struct lt_value {
    enum lt_base base;
    bool dereferenced;
    int64_t at, add; /* `add` is 0 unless dereferenced */
};

/* Evaluates the whole of `in` for the instruction at `ip`. `initial`, which may be NULL, lies on the stack first. False
 * where the result has no such form. */
bool lt_cfi_evaluate(struct lt_bytes in, uintptr_t ip, const struct lt_value *initial, struct lt_value *result);

#endif
