#include "unwind/cfi_expression.h"

#include "unwind/arch_native.h"

enum { STACK_MAX = 6 };

enum operation { /* DWARF 5 §7.7.1 */
                 OP_DEREF = 0x06,
                 OP_CONST1U = 0x08,
                 OP_CONST1S = 0x09,
                 OP_CONST2U = 0x0a,
                 OP_CONST2S = 0x0b,
                 OP_CONST4U = 0x0c,
                 OP_CONST4S = 0x0d,
                 OP_CONST8U = 0x0e,
                 OP_CONST8S = 0x0f,
                 OP_CONSTU = 0x10,
                 OP_CONSTS = 0x11,
                 OP_AND = 0x1a,
                 OP_MINUS = 0x1c,
                 OP_PLUS = 0x22,
                 OP_PLUS_UCONST = 0x23,
                 OP_SHL = 0x24,
                 OP_GE = 0x2a,
                 OP_LIT0 = 0x30,
                 OP_LIT31 = 0x4f,
                 OP_BREG0 = 0x70,
                 OP_BREG31 = 0x8f,
                 OP_NOP = 0x96,
};

struct machine {
    struct lt_bytes in;
    uintptr_t ip;
    unsigned depth;
    bool failed;
    struct lt_value stack[STACK_MAX];
};

static void push(struct machine *m, enum lt_base base, int64_t at) {
    if (m->depth == STACK_MAX) {
        m->failed = true;
        return;
    }
    m->stack[m->depth++] = (struct lt_value){.base = base, .at = at};
}

static struct lt_value pop(struct machine *m) {
    if (m->depth == 0) {
        m->failed = true;
        return (struct lt_value){0};
    }
    return m->stack[--m->depth];
}

static bool is_constant(const struct lt_value *v) {
    return v->base == LT_BASE_NONE && !v->dereferenced;
}

static int64_t sum(int64_t a, int64_t b) {
    return (int64_t)((uint64_t)a + (uint64_t)b);
}

static void add_constant(struct machine *m, int64_t constant) {
    struct lt_value v = pop(m);
    int64_t *to = v.dereferenced ? &v.add : &v.at;
    *to = sum(*to, constant);
    if (!m->failed)
        m->stack[m->depth++] = v;
}

static void add(struct machine *m) {
    struct lt_value b = pop(m), a = pop(m);
    if (!is_constant(&a) && !is_constant(&b)) {
        m->failed = true;
        return;
    }
    struct lt_value *symbolic = is_constant(&a) ? &b : &a, *constant = is_constant(&a) ? &a : &b;
    if (m->failed)
        return;
    m->stack[m->depth++] = *symbolic;
    add_constant(m, constant->at);
}

static void dereference(struct machine *m) {
    struct lt_value v = pop(m);
    if (v.dereferenced || v.base == LT_BASE_NONE) {
        m->failed = true;
        return;
    }
    v.dereferenced = true;
    m->stack[m->depth++] = v;
}

static int64_t of_constants(uint8_t operation, int64_t a, int64_t b) {
    switch (operation) {
    case OP_AND:
        return a & b;
    case OP_SHL:
        return b >= 0 && b < 64 ? (int64_t)((uint64_t)a << b) : 0;
    case OP_GE:
        return a >= b;
    default: /* OP_MINUS */
        return (int64_t)((uint64_t)a - (uint64_t)b);
    }
}

static void binary(struct machine *m, uint8_t operation) {
    struct lt_value b = pop(m), a = pop(m);
    if (!is_constant(&a) || !is_constant(&b))
        m->failed = true;
    push(m, LT_BASE_NONE, of_constants(operation, a.at, b.at));
}

static void push_register(struct machine *m, unsigned number, int64_t offset) {
    switch (number) {
    case LT_DWARF_SP:
        push(m, LT_BASE_SP, offset);
        break;
    case LT_DWARF_FP:
        push(m, LT_BASE_FP, offset);
        break;
    case LT_DWARF_RA:
        push(m, LT_BASE_NONE, sum((int64_t)m->ip, offset));
        break;
    default:
        m->failed = true;
    }
}

static int64_t read_constant(struct lt_bytes *in, uint8_t operation) {
    switch (operation) {
    case OP_CONST1U:
        return lt_bytes_u8(in);
    case OP_CONST1S:
        return (int8_t)lt_bytes_u8(in);
    case OP_CONST2U:
        return lt_bytes_u16(in);
    case OP_CONST2S:
        return (int16_t)lt_bytes_u16(in);
    case OP_CONST4U:
        return lt_bytes_u32(in);
    case OP_CONST4S:
        return (int32_t)lt_bytes_u32(in);
    case OP_CONST8U:
    case OP_CONST8S:
        return (int64_t)lt_bytes_u64(in);
    case OP_CONSTU:
        return (int64_t)lt_bytes_uleb(in);
    default: /* OP_CONSTS */
        return lt_bytes_sleb(in);
    }
}

static void execute(struct machine *m, uint8_t operation) {
    if (operation >= OP_LIT0 && operation <= OP_LIT31) {
        push(m, LT_BASE_NONE, operation - OP_LIT0);
    } else if (operation >= OP_BREG0 && operation <= OP_BREG31) {
        push_register(m, operation - OP_BREG0, lt_bytes_sleb(&m->in));
    } else if (operation >= OP_CONST1U && operation <= OP_CONSTS) {
        push(m, LT_BASE_NONE, read_constant(&m->in, operation));
    } else {
        switch (operation) {
        case OP_DEREF:
            dereference(m);
            break;
        case OP_PLUS:
            add(m);
            break;
        case OP_PLUS_UCONST:
            add_constant(m, (int64_t)lt_bytes_uleb(&m->in));
            break;
        case OP_AND:
        case OP_MINUS:
        case OP_SHL:
        case OP_GE:
            binary(m, operation);
            break;
        case OP_NOP:
            break;
        default:
            m->failed = true;
        }
    }
}

bool lt_cfi_evaluate(struct lt_bytes in, uintptr_t ip, const struct lt_value *initial, struct lt_value *result) {
    struct machine m = {.in = in, .ip = ip};
    if (initial)
        m.stack[m.depth++] = *initial;
    while (lt_bytes_left(&m.in) && !m.failed)
        execute(&m, lt_bytes_u8(&m.in));
    *result = pop(&m);
    return !m.failed && !m.in.bad;
}
