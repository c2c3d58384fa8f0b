// Critical sections for rseq.c. Each begins by naming itself in the area (x0 + 8); what stands before an abort handler is the
// signature that the C library of arm64 uses.

    .set SIGNATURE, 0xd428bc00

    .text
    .balign 32
add_section:
    .word 0, 0
    .quad add_start, add_commit - add_start, add_abort
    .balign 32
    .global spin_section
spin_section:
    .word 0, 0
    .quad spin_start, spin_commit - spin_start, spin_abort

// int rseq_add(void *area, u64 *counters, u32 cpu): adds one to counters[cpu] while on that CPU. 0 done, 1 aborted.
    .global rseq_add
    .type rseq_add, %function
rseq_add:
    adr x3, add_section
    str x3, [x0, #8]
add_start:
    ldr w4, [x0, #4]
    cmp w4, w2
    b.ne add_other
    ldr x5, [x1, x2, lsl #3]
    // Long enough to be interrupted now and then.
    mov x6, #40
0:  subs x6, x6, #1
    b.ne 0b
    add x5, x5, #1
    str x5, [x1, x2, lsl #3]
add_commit:
    str xzr, [x0, #8]
    mov w0, #0
    ret
add_other:
    str xzr, [x0, #8]
    mov w0, #1
    ret
    .word SIGNATURE
add_abort:
    mov w0, #1
    ret
    .size rseq_add, . - rseq_add

// int rseq_spin(void *area, u32 *inside): sets *inside and computes in a section that only an abort ends. Always 1.
    .global rseq_spin
    .type rseq_spin, %function
rseq_spin:
    adr x3, spin_section
    str x3, [x0, #8]
spin_start:
    mov w4, #1
    str w4, [x1]
1:  add x5, x5, #1
    b 1b
spin_commit:
    mov w0, #0
    ret
    .word SIGNATURE
    .global spin_abort
spin_abort:
    mov w0, #1
    ret
    .size rseq_spin, . - rseq_spin

    .section .note.GNU-stack, "", %progbits
