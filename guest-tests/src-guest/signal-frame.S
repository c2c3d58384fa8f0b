// void sigreturn_from(u64 sp, u64 *resume_pc, u64 *resume_sp): rt_sigreturn(2) with the stack pointer at `sp`. The call comes
// back, with the registers that a C function keeps, when a handler goes on at *resume_pc with *resume_sp.

    .text
    .global sigreturn_from
    .type sigreturn_from, %function
sigreturn_from:
    stp x29, x30, [sp, #-96]!
    stp x19, x20, [sp, #16]
    stp x21, x22, [sp, #32]
    stp x23, x24, [sp, #48]
    stp x25, x26, [sp, #64]
    stp x27, x28, [sp, #80]
    adr x9, 1f
    str x9, [x1]
    mov x9, sp
    str x9, [x2]
    mov sp, x0
    mov x8, #139
    svc #0
    brk #1
1:  ldp x27, x28, [sp, #80]
    ldp x25, x26, [sp, #64]
    ldp x23, x24, [sp, #48]
    ldp x21, x22, [sp, #32]
    ldp x19, x20, [sp, #16]
    ldp x29, x30, [sp], #96
    ret
    .size sigreturn_from, . - sigreturn_from

    .section .note.GNU-stack, "", %progbits
