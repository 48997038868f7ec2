/* The hooks of fork, exec and exit. All of them may be called from a signal handler, and so may these. */
#include "os/task.h"
#include "preload/descriptor.h"
#include "preload/dumper.h"
#include "preload/event.h"
#include "preload/guard.h"
#include "preload/hooks.h"
#include "preload/life.h"
#include "preload/process.h"
#include "preload/real.h"

#include <errno.h>
#include <sched.h>
#include <stdarg.h>

static pid_t forked(pid_t pid) {
    if (pid == 0)
        lt_life_forked();
    return pid;
}

LT_EXPORT pid_t fork(void) {
    return forked(LT_REAL(fork)());
}

LT_EXPORT pid_t __fork(void) {
    return forked(LT_REAL_OR(__fork, fork)());
}

LT_EXPORT pid_t _Fork(void) {
    return forked(LT_REAL(_Fork)());
}

/* libc forks inside these without a call that we see. */
static int forked_inside(int result) {
    if (result >= 0 && lt_process_is_copy())
        lt_life_forked();
    return result;
}

LT_EXPORT int daemon(int stay, int keep_descriptors) {
    const struct lt_regs caller = LT_CALLER;
    const int result = forked_inside(LT_REAL(daemon)(stay, keep_descriptors));
    if (result == 0 && !keep_descriptors)
        lt_fd_standard_streams_replaced(-1, &caller);
    return result;
}

LT_EXPORT int forkpty(int *terminal, char *name, const struct termios *attributes, const struct winsize *size) {
    const struct lt_regs caller = LT_CALLER;
    const int pid = forked_inside(LT_REAL(forkpty)(terminal, name, attributes, size));
    if (pid > 0)
        lt_fd_acquired(*terminal, LT_KIND_FILE, &caller);
    if (pid == 0)
        lt_fd_standard_streams_replaced(-1, &caller);
    return pid;
}

/* For the assembler stub `vfork` (arch_*.S), which jumps to what this returns. */
void *lt_vfork_begins(void);
void *lt_vfork_begins(void) {
    lt_tls.vfork_child = true;
    return (void *)(uintptr_t)LT_REAL(vfork);
}

/* The child of a clone that shares memory and gets no thread-local storage uses its parent's: beside it, or as a vfork
 * child does. */
static void clone_begins(int flags) {
    if ((flags & (CLONE_VM | CLONE_VFORK | CLONE_SETTLS)) == CLONE_VM)
        lt_event_storage_shared();
    if ((flags & (CLONE_VM | CLONE_VFORK | CLONE_SETTLS)) == (CLONE_VM | CLONE_VFORK))
        lt_tls.vfork_child = true;
}

#define ARGUMENTS_BEHIND(argument, parent_tid, storage, child_tid)                                                     \
    va_list arguments;                                                                                                 \
    va_start(arguments, argument);                                                                                     \
    pid_t *parent_tid = va_arg(arguments, pid_t *);                                                                    \
    void *storage = va_arg(arguments, void *);                                                                         \
    pid_t *child_tid = va_arg(arguments, pid_t *);                                                                     \
    va_end(arguments)

LT_EXPORT int clone(int (*run)(void *), void *stack, int flags, void *argument, ...) {
    ARGUMENTS_BEHIND(argument, parent_tid, storage, child_tid);
    clone_begins(flags);
    return LT_REAL(clone)(run, stack, flags, argument, parent_tid, storage, child_tid);
}

LT_EXPORT int __clone(int (*run)(void *), void *stack, int flags, void *argument, ...) {
    ARGUMENTS_BEHIND(argument, parent_tid, storage, child_tid);
    clone_begins(flags);
    return LT_REAL_OR(__clone, clone)(run, stack, flags, argument, parent_tid, storage, child_tid);
}

LT_EXPORT void _exit(int status) {
    lt_life_exit();
    LT_REAL(_exit)(status);
    __builtin_unreachable();
}

LT_EXPORT void _Exit(int status) {
    lt_life_exit();
    LT_REAL(_Exit)(status);
    __builtin_unreachable();
}

LT_EXPORT int execve(const char *path, char *const argv[], char *const envp[]) {
    lt_life_exec();
    return LT_REAL(execve)(path, argv, envp);
}

LT_EXPORT int execv(const char *path, char *const argv[]) {
    lt_life_exec();
    return LT_REAL(execv)(path, argv);
}

LT_EXPORT int execvp(const char *file, char *const argv[]) {
    lt_life_exec();
    return LT_REAL(execvp)(file, argv);
}

LT_EXPORT int execvpe(const char *file, char *const argv[], char *const envp[]) {
    lt_life_exec();
    return LT_REAL(execvpe)(file, argv, envp);
}

LT_EXPORT int fexecve(int fd, char *const argv[], char *const envp[]) {
    lt_life_exec();
    return LT_REAL(fexecve)(fd, argv, envp);
}

LT_EXPORT int execveat(int directory, const char *path, char *const argv[], char *const envp[], int flags) {
    if (!LT_REAL(execveat)) { /* glibc before 2.34 */
        errno = ENOSYS;
        return -1;
    }
    lt_life_exec();
    return LT_REAL(execveat)(directory, path, argv, envp, flags);
}

/* The arguments of execl and its like as an array on the stack, which is where libc itself puts them: nothing else is
 * allowed in a signal handler. Leaves `arguments` behind the NULL that ends them. */
#define ARGUMENT_ARRAY(array, first, arguments)                                                                        \
    size_t count = 1;                                                                                                  \
    va_start(arguments, first);                                                                                        \
    while (va_arg(arguments, char *))                                                                                  \
        count++;                                                                                                       \
    va_end(arguments);                                                                                                 \
    char **array = __builtin_alloca((count + 1) * sizeof *array);                                                      \
    array[0] = (char *)(uintptr_t)first;                                                                               \
    va_start(arguments, first);                                                                                        \
    for (size_t i = 1; i <= count; i++)                                                                                \
    array[i] = va_arg(arguments, char *)

LT_EXPORT int execl(const char *path, const char *argument, ...) {
    va_list arguments;
    ARGUMENT_ARRAY(argv, argument, arguments);
    va_end(arguments);
    return execv(path, argv);
}

LT_EXPORT int execlp(const char *file, const char *argument, ...) {
    va_list arguments;
    ARGUMENT_ARRAY(argv, argument, arguments);
    va_end(arguments);
    return execvp(file, argv);
}

LT_EXPORT int execle(const char *path, const char *argument, ...) {
    va_list arguments;
    ARGUMENT_ARRAY(argv, argument, arguments);
    char **envp = va_arg(arguments, char **);
    va_end(arguments);
    return execve(path, argv, envp);
}

/* unshare(CLONE_NEWUSER) and setns want a process of one thread, and one is what the program has. In a vfork child the
 * threads are the parent's affair. */
static void withdraw(void) {
    if (lt_process_whose() == LT_OWN_MEMORY)
        lt_dumper_withdraw();
}

LT_EXPORT int unshare(int flags) {
    withdraw();
    const int result = LT_REAL(unshare)(flags);
    if (result == 0 && flags & CLONE_FILES)
        lt_fd_table_unshared();
    return result;
}

LT_EXPORT int setns(int fd, int type) {
    withdraw();
    return LT_REAL(setns)(fd, type);
}

LT_EXPORT void pthread_exit(void *value) {
    if (lt_gettid() == lt_getpid())
        lt_dumper_main_thread_leaves();
    LT_REAL(pthread_exit)(value);
    __builtin_unreachable();
}

/* A closed copy of a message queue's descriptor takes the process's notification with it (ipc/mqueue.c, flush). */
LT_EXPORT int mq_notify(int queue, const struct sigevent *event) {
    lt_dumper_share_descriptors();
    return LT_REAL(mq_notify)(queue, event);
}
