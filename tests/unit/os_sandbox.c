/* The interpreter of seccomp filters, with the kernel as the judge: random filters answer a call with an errno that
 * they compute, once in the kernel and once here. And what the raw system calls do behind a filter. */
#include "os/sandbox.h"

#include "os/arch.h"
#include "os/task.h"

#include "unit.h"
#include "unit_child.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

enum { ROUNDS = 1500, BODY = 24, SLOTS = 3, LENGTH = SLOTS + 2 + BODY + 4, CALL = SYS_getppid };

static uint32_t seed = 1;

static uint32_t random_below(uint32_t n) {
    seed = seed * 1664525u + 1013904223u;
    return (seed >> 8) % n;
}

static struct sock_filter instruction(unsigned code, uint32_t k) {
    return (struct sock_filter)BPF_STMT((uint16_t)code, k);
}

static struct sock_filter arithmetic(void) {
    static const unsigned operations[] = {BPF_ADD, BPF_SUB, BPF_MUL, BPF_DIV, BPF_AND,
                                          BPF_OR,  BPF_XOR, BPF_LSH, BPF_RSH, BPF_NEG};
    const unsigned operation = operations[random_below(10)];
    if (operation == BPF_NEG)
        return instruction(BPF_ALU | BPF_NEG, 0);
    if (random_below(2))
        return instruction(BPF_ALU | operation | BPF_X, 0);
    return instruction(BPF_ALU | operation | BPF_K,
                       1 + random_below(operation == BPF_LSH || operation == BPF_RSH ? 31 : 99999));
}

static struct sock_filter forward_jump(uint32_t left) {
    static const unsigned tests[] = {BPF_JEQ, BPF_JGT, BPF_JGE, BPF_JSET};
    const unsigned most = left < 5 ? left : 5;
    if (random_below(8) == 0)
        return instruction(BPF_JMP | BPF_JA, random_below(most));
    return (struct sock_filter)BPF_JUMP(
        (uint16_t)(BPF_JMP | tests[random_below(4)] | (random_below(2) ? BPF_X : BPF_K)), random_below(64),
        (uint8_t)random_below(most), (uint8_t)random_below(most));
}

static struct sock_filter any_instruction(uint32_t left) {
    switch (random_below(9)) {
    case 0:
        return instruction(BPF_LD | BPF_W | BPF_ABS, 16 + 4 * random_below(12)); /* the arguments */
    case 1:
        return instruction(BPF_LD | (random_below(2) ? BPF_MEM : BPF_IMM), random_below(SLOTS));
    case 2:
        return instruction(BPF_LDX | BPF_W | (random_below(2) ? BPF_MEM : BPF_IMM), random_below(SLOTS));
    case 3:
        return instruction(random_below(2) ? BPF_ST : BPF_STX, random_below(SLOTS));
    case 4:
        return instruction(BPF_MISC | (random_below(2) ? BPF_TAX : BPF_TXA), 0);
    case 5:
        return instruction(random_below(2) ? BPF_LD | BPF_W | BPF_LEN : BPF_LDX | BPF_W | BPF_LEN, 0);
    case 6:
        return forward_jump(left);
    default:
        return arithmetic();
    }
}

/* Ends with: errno = 1 + (A & 1023). Lets every other call through at the start. */
static void make_filter(struct sock_filter code[LENGTH]) {
    int at = 0;
    for (uint32_t slot = 0; slot < SLOTS; slot++)
        code[at++] = instruction(BPF_ST, slot);
    code[at++] = instruction(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
    code[at++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, CALL, 0, BODY + 3);
    for (uint32_t i = 0; i < BODY; i++)
        code[at++] = any_instruction(BODY - i);
    code[at++] = instruction(BPF_ALU | BPF_AND | BPF_K, 1023);
    code[at++] = instruction(BPF_ALU | BPF_OR | BPF_K, SECCOMP_RET_ERRNO);
    code[at++] = instruction(BPF_RET | BPF_A, 0);
    code[at++] = instruction(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    assert_int_equal(at, LENGTH);
}

static void install(struct sock_filter *code, unsigned short length) {
    const struct sock_fprog program = {.len = length, .filter = code};
    CHILD_CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    CHILD_CHECK(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0);
    lt_sandbox_filter(&program);
}

static const long arguments[6] = {7, -1, 0x123456789abcdef, 0, 31, 1000000007};

/* In a child: what the kernel answers, as its exit status would be too narrow through a pipe. */
static long ask_the_kernel(struct sock_filter code[LENGTH]) {
    int ends[2], status;
    long answer = 0;
    assert_int_equal(pipe(ends), 0);
    const pid_t pid = fork();
    if (pid == 0) {
        const struct sock_fprog program = {.len = LENGTH, .filter = code};
        CHILD_CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
        CHILD_CHECK(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0);
        answer =
            lt_arch_syscall6(CALL, arguments[0], arguments[1], arguments[2], arguments[3], arguments[4], arguments[5]);
        _exit(write(ends[1], &answer, sizeof answer) == sizeof answer ? 0 : 1);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    close(ends[1]);
    const bool answered = read(ends[0], &answer, sizeof answer) == sizeof answer;
    close(ends[0]);
    return answered ? answer : WIFSIGNALED(status) ? -100000 : 100000;
}

static void verdicts_are_the_kernels(void **state) {
    (void)state;
    struct seccomp_data call = {.nr = CALL, .arch = LT_AUDIT_ARCH};
    unsigned killed = 0, different = 0;
    long last = 0;
    for (int i = 0; i < 6; i++)
        call.args[i] = (uint64_t)arguments[i];
    for (int round = 0; round < ROUNDS; round++) {
        struct sock_filter code[LENGTH];
        make_filter(code);
        const uint32_t said = lt_sandbox_verdict(code, LENGTH, &call);
        const long answer = ask_the_kernel(code);
        if ((said & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_ERRNO)
            assert_int_equal(answer, (said & SECCOMP_RET_DATA) ? -(long)(said & SECCOMP_RET_DATA) : 0);
        else
            assert_int_equal(answer, -100000); /* a division by zero: killed */
        killed += answer == -100000;
        different += answer != last;
        last = answer;
    }
    assert_true(killed > 10 && killed < ROUNDS / 2);
    assert_true(different > ROUNDS / 4);
}

#define FOR(number, action) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1), BPF_STMT(BPF_RET | BPF_K, action)

static void behind_a_filter(void) {
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        FOR(SYS_getppid, SECCOMP_RET_KILL_PROCESS),
        FOR(SYS_gettid, SECCOMP_RET_ERRNO | EUCLEAN),
        FOR(SYS_prctl, SECCOMP_RET_TRAP),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const int pid = lt_getpid();
    CHILD_CHECK(!lt_sandboxed);
    install(code, sizeof code / sizeof *code);
    CHILD_CHECK(lt_sandboxed);
    CHILD_CHECK(lt_getppid() == -EPERM);
    CHILD_CHECK(lt_gettid() == -EUCLEAN);
    CHILD_CHECK(lt_getpid() == pid);
    lt_name_thread("trapped"); /* else SIGSYS */
}

static void behind_two_filters(void) {
    struct sock_filter first[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        FOR(SYS_getppid, SECCOMP_RET_KILL_PROCESS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_filter second[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        FOR(SYS_gettid, SECCOMP_RET_KILL_THREAD),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    install(first, 4);
    install(second, 4);
    CHILD_CHECK(lt_getppid() == -EPERM);
    CHILD_CHECK(lt_gettid() == -EPERM);
    CHILD_CHECK(lt_getpid() > 0);
}

static void in_strict_mode(void) {
    lt_sandbox_strict();
    CHILD_CHECK(lt_getpid() == -EPERM);
}

static void more_filters_than_can_be_remembered(void) {
    struct sock_filter allow[] = {BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
    const struct sock_fprog program = {.len = 1, .filter = allow};
    for (int i = 0; i < 32; i++)
        lt_sandbox_filter(&program);
    CHILD_CHECK(lt_getpid() > 0);
    lt_sandbox_filter(&program);
    CHILD_CHECK(lt_getpid() == -EPERM);
}

static void forbidden_calls_are_not_made(void **state) {
    (void)state;
    assert_child_passes(behind_a_filter);
    assert_child_passes(behind_two_filters);
    assert_child_passes(in_strict_mode);
    assert_child_passes(more_filters_than_can_be_remembered);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(verdicts_are_the_kernels),
    cmocka_unit_test(forbidden_calls_are_not_made),
};

LT_UNIT_MAIN(tests)
