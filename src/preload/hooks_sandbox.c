/* The hooks that notice a seccomp sandbox which the program enters: from then on the library asks its filters before
 * each system call (os/sandbox.h). A last snapshot before may be all there will be. */
#include "os/sandbox.h"
#include "preload/hooks.h"
#include "preload/life.h"
#include "preload/process.h"
#include "preload/real.h"
#include "preload/sandbox.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdarg.h>
#include <sys/prctl.h>

/* For the assembler stub `syscall` (arch_*.S), which jumps there for SYS_seccomp and else to the real function. */
long lt_syscall_seccomp(long number, long operation, long flags, void *argument);
long (*lt_syscall_next)(long number, ...);

void lt_sandbox_hooks_start(void) {
    lt_syscall_next = LT_REAL(syscall);
}

/* A vfork child's sandbox is not the parent's. To ask for the pid is too late then. */
static void entered(bool owner, bool filtered, const void *program) {
    if (!owner)
        return;
    if (filtered)
        lt_sandbox_filter(program);
    else
        lt_sandbox_strict();
}

/* seccomp(2) has no other wrapper in libc. A filter that others must follow, too (SECCOMP_FILTER_FLAG_TSYNC), may fail
 * with a thread id: nothing is installed then. */
long lt_syscall_seccomp(long number, long operation, long flags, void *argument) {
    const bool filtered = operation == SECCOMP_SET_MODE_FILTER;
    if (!filtered && operation != SECCOMP_SET_MODE_STRICT)
        return LT_REAL(syscall)(number, operation, flags, argument);
    const bool owner = lt_process_whose() != LT_PARENTS_MEMORY;
    lt_life_before_sandbox();
    const long result = LT_REAL(syscall)(number, operation, flags, argument);
    if (result == 0 || (result > 0 && (unsigned long)flags & SECCOMP_FILTER_FLAG_NEW_LISTENER))
        entered(owner, filtered, argument);
    return result;
}

LT_EXPORT int prctl(int option, ...) {
    va_list arguments;
    va_start(arguments, option);
    const unsigned long a = va_arg(arguments, unsigned long), b = va_arg(arguments, unsigned long),
                        c = va_arg(arguments, unsigned long), d = va_arg(arguments, unsigned long);
    va_end(arguments);
    if (option != PR_SET_SECCOMP)
        return LT_REAL(prctl)(option, a, b, c, d);
    const bool owner = lt_process_whose() != LT_PARENTS_MEMORY;
    lt_life_before_sandbox();
    const int result = LT_REAL(prctl)(option, a, b, c, d);
    if (result == 0)
        entered(owner, a == SECCOMP_MODE_FILTER, (const void *)b);
    return result;
}
