/* What C can't say, for x86-64 (System V ABI). <cet.h> is the compiler's: it marks the object as ready for control-flow
 * enforcement, without which the loader would switch that off for the whole program. */
#include <cet.h>
#include <sys/syscall.h>

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
    .globl vfork, __vfork
    .type vfork, @function
    .type __vfork, @function
    .balign 16
vfork:
__vfork:
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
    .size __vfork, . - vfork

/* long syscall(long number, ...): a function that libc does not export by another name and whose call may fork, so that
 * nothing may stay on the stack here either. Only seccomp(2) is looked at. */
    .globl syscall
    .type syscall, @function
    .balign 16
syscall:
    .cfi_startproc
    _CET_ENDBR
    cmp $SYS_seccomp, %rdi
    je lt_syscall_seccomp
0:  mov lt_syscall_next(%rip), %rax
    test %rax, %rax
    jz 1f
    jmp *%rax
1:  .irp register, rdi, rsi, rdx, rcx, r8, r9
    push %\register
    .cfi_adjust_cfa_offset 8
    .endr
    sub $8, %rsp
    .cfi_adjust_cfa_offset 8
    call lt_sandbox_hooks_start
    add $8, %rsp
    .cfi_adjust_cfa_offset -8
    .irp register, r9, r8, rcx, rdx, rsi, rdi
    pop %\register
    .cfi_adjust_cfa_offset -8
    .endr
    jmp 0b
    .cfi_endproc
    .size syscall, . - syscall

/* void *lt_thread_trampoline(void *record): what a new thread is given to run instead of the program's function, which it
 * jumps to, so that the thread's call stacks have no frame of ours. lt_thread_begins (hooks_threads.c) gives function and
 * argument in rax and rdx. */
    .globl lt_thread_trampoline
    .hidden lt_thread_trampoline
    .type lt_thread_trampoline, @function
    .balign 16
lt_thread_trampoline:
    .cfi_startproc
    _CET_ENDBR
    sub $8, %rsp
    .cfi_adjust_cfa_offset 8
    call lt_thread_begins
    add $8, %rsp
    .cfi_adjust_cfa_offset -8
    mov %rdx, %rdi
    jmp *%rax
    .cfi_endproc
    .size lt_thread_trampoline, . - lt_thread_trampoline

    .section .note.GNU-stack, "", @progbits
