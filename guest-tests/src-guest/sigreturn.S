// The register patterns of sigreturn.c: one round that holds them, and a handler that destroys all it may.

        .text

// void pattern_round(const u64 *in x0, u64 *out x1)
// in: x0 to x30 and NZCV (32 words). Loads them all, keeps them over some hundred instructions that in the end change none,
// and stores what is there to out, for the caller to compare.
        .globl  pattern_round
        .type   pattern_round, %function
pattern_round:
        stp     x29, x30, [sp, #-128]!
        stp     x19, x20, [sp, #16]
        stp     x21, x22, [sp, #32]
        stp     x23, x24, [sp, #48]
        stp     x25, x26, [sp, #64]
        stp     x27, x28, [sp, #80]
        str     x1, [sp, #96]
        ldr     x2, [x0, #248]
        msr     nzcv, x2
        ldp     x29, x30, [x0, #232]
        ldp     x27, x28, [x0, #216]
        ldp     x25, x26, [x0, #200]
        ldp     x23, x24, [x0, #184]
        ldp     x21, x22, [x0, #168]
        ldp     x19, x20, [x0, #152]
        ldp     x17, x18, [x0, #136]
        ldp     x15, x16, [x0, #120]
        ldp     x13, x14, [x0, #104]
        ldp     x11, x12, [x0, #88]
        ldp     x9, x10, [x0, #72]
        ldp     x7, x8, [x0, #56]
        ldp     x5, x6, [x0, #40]
        ldp     x3, x4, [x0, #24]
        ldp     x1, x2, [x0, #8]
        ldr     x0, [x0]
        .rept   24
        eor     x0, x0, x1
        add     x7, x7, x30
        eor     x18, x18, x29
        ror     x5, x5, #32
        nop
        ror     x5, x5, #32
        eor     x18, x18, x29
        sub     x7, x7, x30
        eor     x0, x0, x1
        b       1f
        brk     #1
1:
        .endr
        stp     x0, x1, [sp, #104]      // above SP, where no signal frame is written
        ldr     x0, [sp, #96]
        stp     x2, x3, [x0, #16]
        stp     x4, x5, [x0, #32]
        stp     x6, x7, [x0, #48]
        stp     x8, x9, [x0, #64]
        stp     x10, x11, [x0, #80]
        stp     x12, x13, [x0, #96]
        stp     x14, x15, [x0, #112]
        stp     x16, x17, [x0, #128]
        stp     x18, x19, [x0, #144]
        stp     x20, x21, [x0, #160]
        stp     x22, x23, [x0, #176]
        stp     x24, x25, [x0, #192]
        stp     x26, x27, [x0, #208]
        stp     x28, x29, [x0, #224]
        mrs     x2, nzcv
        stp     x30, x2, [x0, #240]
        ldp     x3, x4, [sp, #104]
        stp     x3, x4, [x0]
        ldp     x19, x20, [sp, #16]
        ldp     x21, x22, [sp, #32]
        ldp     x23, x24, [sp, #48]
        ldp     x25, x26, [sp, #64]
        ldp     x27, x28, [sp, #80]
        ldp     x29, x30, [sp], #128
        ret

// void destroying_handler(int, siginfo_t *, ucontext_t *)
// Adds one to the word at TPIDR_EL0, then leaves rubbish in every register and in the flags, and returns to the restorer.
        .globl  destroying_handler
        .type   destroying_handler, %function
destroying_handler:
        mrs     x3, tpidr_el0
1:      ldxr    x4, [x3]
        add     x4, x4, #1
        stxr    w5, x4, [x3]
        cbnz    w5, 1b
        mov     x0, #0xdead
        movk    x0, #0xbeef, lsl #32
        .irp    n, 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29
        add     x\n, x0, #\n
        .endr
        mrs     x1, nzcv
        mvn     x1, x1
        msr     nzcv, x1
        ret

        .section .note.GNU-stack, "", %progbits
