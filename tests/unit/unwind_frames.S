/* Frames that no compiler makes on request.
 *
 * Each is called as f(callback) and calls back once. */
    .text

/* Saves rbp, uses it as scratch while it calls, gives it back: whoever walks must read it from the stack. */
    .globl frame_rbp_is_scratch
    .type frame_rbp_is_scratch, @function
frame_rbp_is_scratch:
    .cfi_startproc
    endbr64
    push %rbp
    .cfi_def_cfa_offset 16
    .cfi_offset %rbp, -16
    mov $0xdeadbeef, %ebp
    call *%rdi
    pop %rbp
    .cfi_restore %rbp
    .cfi_def_cfa_offset 8
    ret
    .cfi_endproc
    .size frame_rbp_is_scratch, . - frame_rbp_is_scratch

/* The same with a given value: frame_with_rbp(callback, rbp). */
    .globl frame_with_rbp
    .type frame_with_rbp, @function
frame_with_rbp:
    .cfi_startproc
    endbr64
    push %rbp
    .cfi_def_cfa_offset 16
    .cfi_offset %rbp, -16
    mov %rsi, %rbp
    call *%rdi
    pop %rbp
    .cfi_restore %rbp
    .cfi_def_cfa_offset 8
    ret
    .cfi_endproc
    .size frame_with_rbp, . - frame_with_rbp

/* No unwind information, but a frame pointer. */
    .globl frame_without_cfi
    .type frame_without_cfi, @function
frame_without_cfi:
    endbr64
    push %rbp
    mov %rsp, %rbp
    sub $48, %rsp
    call *%rdi
    leave
    ret
    .size frame_without_cfi, . - frame_without_cfi

/* Neither unwind information nor a frame pointer: rbp is its argument, any garbage. */
    .globl frame_with_garbage
    .type frame_with_garbage, @function
frame_with_garbage:
    endbr64
    push %rbp
    mov %rsi, %rbp
    call *%rdi
    pop %rbp
    ret
    .size frame_with_garbage, . - frame_with_garbage

/* A return address that was moved: a rule nobody has a class for. */
    .globl frame_with_odd_cfi
    .type frame_with_odd_cfi, @function
frame_with_odd_cfi:
    .cfi_startproc
    endbr64
    sub $8, %rsp
    .cfi_def_cfa_offset 16
    .cfi_escape 0x14, 6, 2 /* DW_CFA_val_offset: rbp is CFA - 16; as bytes, since clang 14 does not know .cfi_val_offset */
    call *%rdi
    add $8, %rsp
    .cfi_def_cfa_offset 8
    ret
    .cfi_endproc
    .size frame_with_odd_cfi, . - frame_with_odd_cfi

/* CFA by an expression through the stack, the way OpenSSL's assembler does it: *(rsp + 8) + 16. */
    .globl frame_with_saved_cfa
    .type frame_with_saved_cfa, @function
frame_with_saved_cfa:
    .cfi_startproc
    endbr64
    mov %rsp, %rax
    .cfi_def_cfa_register %rax
    sub $56, %rsp
    and $-64, %rsp
    sub $8, %rax
    mov %rax, 8(%rsp)
    .cfi_escape 0x0f, 5, 0x77, 8, 0x06, 0x23, 16
    call *%rdi
    mov 8(%rsp), %rsp
    .cfi_def_cfa %rsp, 16
    add $8, %rsp
    .cfi_def_cfa_offset 8
    ret
    .cfi_endproc
    .size frame_with_saved_cfa, . - frame_with_saved_cfa

    .section .note.GNU-stack, "", @progbits
    .section .note.gnu.property, "a", @note
    .p2align 3
    .long 4, 16, 5
    .asciz "GNU"
    .long 0xc0000002, 4, 3, 0
