// Enters a seccomp sandbox that allows only what the program does itself, works over two snapshots and ends. First
// argument: what happens to everything else (kill, errno), or strict; second: by prctl or by syscall.
#include "busy.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#define ALLOW(number) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

static int enter(unsigned otherwise, int by_syscall) {
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        ALLOW(SYS_write),
        ALLOW(SYS_clock_nanosleep),
        ALLOW(SYS_brk),
        ALLOW(SYS_exit_group),
        ALLOW(SYS_exit),
        ALLOW(SYS_newfstatat),
        BPF_STMT(BPF_RET | BPF_K, otherwise),
    };
    const struct sock_fprog program = {.len = sizeof code / sizeof *code, .filter = code};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return -1;
    if (by_syscall)
        return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program);
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

/* Nothing but write and exit is left; even the time-stamp counter is forbidden. The coarse clock is not. */
static void work_without_sleep(void) {
    struct timespec start, now;
    clock_gettime(CLOCK_MONOTONIC_COARSE, &start);
    do {
        for (int i = 0; i < 1000; i++)
            free(malloc(100));
        clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    } while (now.tv_sec < start.tv_sec + 3);
}

int main(int argc, char **argv) {
    const char *how = argc > 1 ? argv[1] : "kill", *by = argc > 2 ? argv[2] : "prctl";
    int result = -1;
    leak_a_thousand();
    work_ms(10);
    if (strcmp(how, "kill") == 0)
        result = enter(SECCOMP_RET_KILL_PROCESS, strcmp(by, "syscall") == 0);
    if (strcmp(how, "errno") == 0)
        result = enter(SECCOMP_RET_ERRNO | ENOSYS, strcmp(by, "syscall") == 0);
    if (strcmp(how, "strict") == 0)
        result = strcmp(by, "syscall") == 0 ? (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_STRICT, 0, NULL)
                                            : prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT);
    if (result != 0)
        return 77;
    if (strcmp(how, "strict") == 0) {
        work_without_sleep();
        if (write(1, "done\n", 5) == 5)
            syscall(SYS_exit, 0);
    }
    work_ms(2200);
    puts("done");
    return 0;
}
