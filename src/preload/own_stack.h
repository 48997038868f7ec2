/* Running on a stack of the library's own: a snapshot must not need more of the program's stack than a hook does, which
 * may be the last kilobytes of a coroutine's. The assembler is in arch_*.S. */
#ifndef LT_PRELOAD_OWN_STACK_H
#define LT_PRELOAD_OWN_STACK_H

#include <stddef.h>

/* Calls function(argument) with the stack pointer at `top` (exclusive, 16-byte aligned) and returns its result. Unwind
 * information leads from there back to the caller, so that a debugger sees the whole stack. No signal handler of the
 * program may run meanwhile (block them), nor a second caller with the same stack. */
int lt_call_on_stack(int (*function)(void *), void *argument, void *top);

#endif
