/* The filters are classic BPF over struct seccomp_data; what the kernel lets pass (kernel/seccomp.c,
 * seccomp_check_filter) is interpreted here, one filter after the other, and the first that says no has the last word.
 */
#include "os/sandbox.h"

#include "base/attrs.h"
#include "os/syscall.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdatomic.h>
#include <string.h>

enum { MOST_FILTERS = 32, MOST_INSTRUCTIONS = 8192 };

struct filter {
    struct sock_filter *code;
    _Atomic uint32_t length; /* 0: not there yet */
};

bool lt_sandboxed;
static _Atomic bool strict; /* nothing is allowed: so it is, or there was no room to remember a filter */
static struct filter filters[MOST_FILTERS];
static struct sock_filter instructions[MOST_INSTRUCTIONS];
static _Atomic uint32_t filter_count, instruction_count;

void lt_sandbox_strict(void) {
    strict = true;
    lt_sandboxed = true;
}

/* No memory is asked for: the sandbox is closed already. */
void lt_sandbox_filter(const void *program) {
    const struct sock_fprog *source = program;
    const uint32_t place = atomic_fetch_add(&filter_count, 1);
    const uint32_t start = atomic_fetch_add(&instruction_count, source->len);
    if (place >= MOST_FILTERS || start + source->len > MOST_INSTRUCTIONS) {
        lt_sandbox_strict();
        return;
    }
    memcpy(instructions + start, source->filter, source->len * sizeof *source->filter);
    filters[place].code = instructions + start;
    filters[place].length = source->len;
    lt_sandboxed = true;
}

struct machine {
    uint32_t a, x, memory[BPF_MEMWORDS];
};

/* A division by zero ends the filter with 0, which is SECCOMP_RET_KILL_THREAD; the caller looks at *ended. */
static uint32_t compute(uint32_t operation, uint32_t a, uint32_t operand, bool *ended) {
    switch (operation) {
    case BPF_ADD:
        return a + operand;
    case BPF_SUB:
        return a - operand;
    case BPF_MUL:
        return a * operand;
    case BPF_DIV:
        *ended = operand == 0;
        return operand ? a / operand : 0;
    case BPF_AND:
        return a & operand;
    case BPF_OR:
        return a | operand;
    case BPF_XOR:
        return a ^ operand;
    case BPF_LSH:
        return a << (operand & 31);
    case BPF_RSH:
        return a >> (operand & 31);
    default: /* BPF_NEG */
        return -a;
    }
}

static uint32_t load(const struct machine *m, const struct sock_filter *i, const struct seccomp_data *data) {
    uint32_t word = i->k;
    if (BPF_MODE(i->code) == BPF_MEM)
        word = m->memory[i->k % BPF_MEMWORDS];
    else if (BPF_MODE(i->code) == BPF_LEN)
        word = sizeof *data;
    else if (BPF_MODE(i->code) == BPF_ABS && i->k <= sizeof *data - sizeof word)
        memcpy(&word, (const char *)data + i->k, sizeof word);
    return word;
}

static bool holds(const struct sock_filter *i, uint32_t a, uint32_t operand) {
    switch (BPF_OP(i->code)) {
    case BPF_JEQ:
        return a == operand;
    case BPF_JGT:
        return a > operand;
    case BPF_JGE:
        return a >= operand;
    default: /* BPF_JSET */
        return a & operand;
    }
}

/* How many instructions to pass over. */
static uint32_t jump(const struct machine *m, const struct sock_filter *i) {
    if (BPF_OP(i->code) == BPF_JA)
        return i->k;
    return holds(i, m->a, BPF_SRC(i->code) == BPF_X ? m->x : i->k) ? i->jt : i->jf;
}

/* One instruction; returns how many of the next to pass over. Sets *ended when the filter is at its end. */
static uint32_t step(struct machine *m, const struct sock_filter *i, const struct seccomp_data *data, bool *ended) {
    switch (BPF_CLASS(i->code)) {
    case BPF_LD:
        m->a = load(m, i, data);
        return 0;
    case BPF_LDX:
        m->x = load(m, i, data);
        return 0;
    case BPF_ST:
        m->memory[i->k % BPF_MEMWORDS] = m->a;
        return 0;
    case BPF_STX:
        m->memory[i->k % BPF_MEMWORDS] = m->x;
        return 0;
    case BPF_ALU:
        m->a = compute(BPF_OP(i->code), m->a, BPF_SRC(i->code) == BPF_X ? m->x : i->k, ended);
        return 0;
    case BPF_JMP:
        return jump(m, i);
    case BPF_MISC:
        *(BPF_MISCOP(i->code) == BPF_TAX ? &m->x : &m->a) = BPF_MISCOP(i->code) == BPF_TAX ? m->a : m->x;
        return 0;
    default: /* BPF_RET */
        m->a = BPF_RVAL(i->code) == BPF_A ? m->a : i->k;
        *ended = true;
        return 0;
    }
}

uint32_t lt_sandbox_verdict(const void *code, uint32_t length, const void *call) {
    struct machine m = {0};
    bool ended = false;
    for (uint32_t at = 0; at < length && !ended; at++)
        at += step(&m, (const struct sock_filter *)code + at, call, &ended);
    return ended ? m.a : SECCOMP_RET_KILL_PROCESS;
}

/* With SECCOMP_RET_USER_NOTIF and _TRACE somebody else decides, and may take his time. */
static bool permits(const struct seccomp_data *data) {
    if (strict)
        return false;
    for (const struct filter *filter = filters; filter < filters + MOST_FILTERS; filter++) {
        const uint32_t length = filter->length; /* 0: a place that is empty, or not filled yet */
        const uint32_t said = length ? lt_sandbox_verdict(filter->code, length, data) : SECCOMP_RET_ALLOW;
        const uint32_t action = said & SECCOMP_RET_ACTION_FULL;
        if (action != SECCOMP_RET_ALLOW && action != SECCOMP_RET_LOG && action != SECCOMP_RET_ERRNO)
            return false;
    }
    return true;
}

LT_COLD long lt_sandbox_syscall(long n, long a, long b, long c, long d, long e, long f) {
    const struct seccomp_data data = {
        .nr = (int)n,
        .arch = LT_AUDIT_ARCH,
        .instruction_pointer = (uintptr_t)__builtin_return_address(0),
        .args = {(uint64_t)a, (uint64_t)b, (uint64_t)c, (uint64_t)d, (uint64_t)e, (uint64_t)f},
    };
    return permits(&data) ? lt_arch_syscall6(n, a, b, c, d, e, f) : -EPERM;
}
