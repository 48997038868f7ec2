#include "os/task.h"

#include "os/proc.h"
#include "os/syscall.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <time.h>

int lt_getpid(void) {
    return (int)lt_syscall0(SYS_getpid);
}

int lt_gettid(void) {
    return (int)lt_syscall0(SYS_gettid);
}

uint32_t lt_geteuid(void) {
    return (uint32_t)lt_syscall0(SYS_geteuid);
}

int lt_getppid(void) {
    return (int)lt_syscall0(SYS_getppid);
}

uint64_t lt_signals_block(void) {
    uint64_t all = UINT64_MAX, mask = 0;
    lt_syscall4(SYS_rt_sigprocmask, SIG_BLOCK, LT_ARG(&all), LT_ARG(&mask), sizeof mask);
    return mask;
}

void lt_signals_restore(uint64_t mask) {
    lt_syscall4(SYS_rt_sigprocmask, SIG_SETMASK, LT_ARG(&mask), 0, sizeof mask);
}

void lt_name_thread(const char *name) {
    lt_syscall2(SYS_prctl, PR_SET_NAME, LT_ARG(name));
}

bool lt_main_thread_left(void) {
    return lt_proc_state(0) == 'Z'; /* a zombie that cannot be reaped before the last thread is gone */
}

bool lt_tid_alive(int tid) {
    return lt_syscall3(SYS_tgkill, lt_getpid(), tid, 0) != -ESRCH;
}

bool lt_pid_alive(int pid) {
    return lt_syscall2(SYS_kill, pid, 0) != -ESRCH;
}

uint32_t lt_thread_count(void) {
    /* The task directory has two links of its own and one for each thread. */
    struct stat task;
    if (lt_syscall4(SYS_newfstatat, AT_FDCWD, LT_ARG("/proc/thread-self/.."), LT_ARG(&task), 0) < 0 ||
        task.st_nlink < 3)
        return 0;
    return (uint32_t)(task.st_nlink - 2);
}

bool lt_on_signal_stack(void) {
    stack_t stack = {0};
    lt_syscall2(SYS_sigaltstack, LT_ARG(NULL), LT_ARG(&stack));
    return stack.ss_flags & SS_ONSTACK;
}

static struct timespec timespec_of(uint64_t ns) {
    return (struct timespec){.tv_sec = (time_t)(ns / 1000000000u), .tv_nsec = (long)(ns % 1000000000u)};
}

void lt_sleep_ns(uint64_t ns) {
    struct timespec duration = timespec_of(ns);
    lt_syscall4(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, LT_ARG(&duration), 0);
}

void lt_futex_wait(const uint32_t *word, uint32_t expected, uint64_t timeout_ns) {
    struct timespec timeout = timespec_of(timeout_ns);
    lt_syscall4(SYS_futex, LT_ARG(word), FUTEX_WAIT_PRIVATE, (long)expected, LT_ARG(timeout_ns ? &timeout : NULL));
}

void lt_futex_wake(const uint32_t *word, uint32_t how_many) {
    lt_syscall3(SYS_futex, LT_ARG(word), FUTEX_WAKE_PRIVATE, (long)how_many);
}
