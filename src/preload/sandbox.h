/* Start of the hooks that notice a sandbox (hooks_sandbox.c). */
#ifndef LT_PRELOAD_SANDBOX_H
#define LT_PRELOAD_SANDBOX_H

/* Gives the assembler stub of syscall(2) the real function. First thing in the constructor. */
void lt_sandbox_hooks_start(void);

#endif
