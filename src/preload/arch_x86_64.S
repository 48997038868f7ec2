/* What C can't say, for x86-64 (System V ABI). <cet.h> is the compiler's: it marks the object as ready for control-flow
 * enforcement, without which the loader would switch that off for the whole program. */
#include <cet.h>

    .text

/* int lt_call_on_stack(int (*function)(void *), void *argument, void *top): own_stack.h. */
    .globl lt_call_on_stack
    .hidden lt_call_on_stack
    .type lt_call_on_stack, @function
    .balign 16
lt_call_on_stack:
    .cfi_startproc
    _CET_ENDBR
    push %rbp
    .cfi_def_cfa_offset 16
    .cfi_offset %rbp, -16
    mov %rsp, %rbp
    .cfi_def_cfa_register %rbp
    mov %rdi, %rax
    mov %rsi, %rdi
    mov %rdx, %rsp
    call *%rax
    leave
    .cfi_def_cfa %rsp, 8
    ret
    .cfi_endproc
    .size lt_call_on_stack, . - lt_call_on_stack

/* pid_t vfork(void): returns twice to its caller, on the same stack, so nothing of a wrapper's may be left there when the
 * parent goes on. lt_vfork_begins (hooks_process.c) sets the flag and gives the real vfork, which is jumped to. */
    .globl vfork
    .type vfork, @function
    .balign 16
vfork:
    .cfi_startproc
    _CET_ENDBR
    sub $8, %rsp
    .cfi_adjust_cfa_offset 8
    call lt_vfork_begins
    add $8, %rsp
    .cfi_adjust_cfa_offset -8
    jmp *%rax
    .cfi_endproc
    .size vfork, . - vfork

    .section .note.GNU-stack, "", @progbits
